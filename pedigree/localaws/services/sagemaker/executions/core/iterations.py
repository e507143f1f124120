"""The steps that a ForEach step runs: each step of its body once for each item, under names like Body-0.

In such a copy, the item stands where the body says ForEach.CurrentItem, and references to other steps of the body lead
to those of the same iteration.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pedigree.language.definition import Definition, Step, read_step
from pedigree.language.errors import ExpressionError
from pedigree.language.expressions import Item, Member, Segment, as_text, parse
from pedigree.language.expressions import IterationReference as Current
from pedigree.language.iteration import body
from pedigree.language.text import brief
from pedigree.localaws.services.sagemaker.executions.core.errors import ValueMissingError

_LONGEST_ITEM = 12_800


@dataclass(frozen=True)
class Copy:
    """A step of one iteration: its document, and what the service says about the iteration."""

    step: Step
    base: str
    index: int
    item: str

    def context(self, parent: str) -> Mapping[str, Any]:
        """What ListPipelineExecutionSteps says about its iteration."""
        return {"ParentStepName": parent, "Index": self.index, "Item": self.item[:_LONGEST_ITEM]}


def items(step: Step, value: Any) -> list[Any]:
    """The items of a ForEach step: a list, or a text that is one in JSON."""
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise ValueMissingError(f"IterableItems of {step.name} is {brief(value)}", "write a list in JSON")
    return found


def copies(step: Step, found: Sequence[Any]) -> list[Copy]:
    """The steps of all iterations, in the order in which they may start."""
    inner = body(step)
    names = frozenset(each.name for each in inner)
    return [_copy(each, names, index, item) for index, item in enumerate(found) for each in inner]


def definition(found: Sequence[Copy]) -> Definition:
    """The steps of all iterations as a definition, for a planner."""
    return Definition({}, tuple(copy.step for copy in found), {})


def _copy(step: Step, names: frozenset[str], index: int, item: Any) -> Copy:
    document: dict[str, Any] = {name: _filled(value, names, index, item) for name, value in step.document.items()}
    waits = list(_waits(step.document.get("DependsOn") or (), names, index))
    document.update(Name=f"{step.name}-{index}", DependsOn=waits)
    return Copy(read_step(document, step.pointer, step.branch_path), step.name, index, as_text(item))


def _waits(written: Sequence[Any], names: frozenset[str], index: int) -> Iterator[Any]:
    """The steps of the same iteration that a step waits for; for those outside the ForEach step waited."""
    for wait in written:
        name = wait if isinstance(wait, str) else wait["Step"]
        if name in names:
            yield f"{name}-{index}" if isinstance(wait, str) else {**wait, "Step": f"{name}-{index}"}


def _filled(value: Any, names: frozenset[str], index: int, item: Any) -> Any:
    """A JSON value of a body's step as it is in one iteration."""
    if isinstance(value, list):
        return [_filled(entry, names, index, item) for entry in value]
    if not isinstance(value, Mapping):
        return value
    path = value.get("Get") if len(value) == 1 else None
    if isinstance(path, str):
        return _reference(path, names, index, item)
    return {key: _filled(member, names, index, item) for key, member in value.items()}


def _reference(path: str, names: frozenset[str], index: int, item: Any) -> Any:
    parsed = parse({"Get": path})
    if isinstance(parsed, Current) and parsed.root == "ForEach.CurrentItem":
        return _part(item, parsed.path)
    root, _, rest = path.partition(".")
    for name in names if root == "Steps" else ():
        if rest == name or rest.startswith((f"{name}.", f"{name}[")):
            return {"Get": f"Steps.{name}-{index}{rest.removeprefix(name)}"}
    return {"Get": path}


def _part(item: Any, path: Sequence[Segment]) -> Any:
    """An item, or the part of it that a path leads to; an item that is text may be an object in JSON."""
    value = item
    for segment in path:
        try:
            value = json.loads(value) if isinstance(value, str) else value
            value = value[_key(segment)]
        except (ValueError, KeyError, IndexError, TypeError):
            raise ValueMissingError(f"the item {brief(item)} has no {_key(segment)}") from None
    return as_text(value) if isinstance(value, (Mapping, list)) else value


def _key(segment: Segment) -> str | int:
    match segment:
        case Member(name):
            return name
        case Item(key):
            return key
    raise ExpressionError(f"{segment} is no part of a path")
