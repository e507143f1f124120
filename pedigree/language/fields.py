"""Compares two JSON documents field by field: a short line for each difference.

List entries with names are matched by name, in any order. A list of plain values counts as one value, and so
does an expression. Paths read like those of a request: InputDataConfig[train].DataSource.S3DataSource.S3Uri
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

from pedigree.language.errors import ExpressionError
from pedigree.language.expressions import (
    ExecutionReference,
    Item,
    IterationReference,
    Join,
    JsonGet,
    Member,
    ParameterReference,
    StepReference,
    Value,
    is_expression,
    parse,
)
from pedigree.language.text import clip

_NAMES = ("Name", "InputName", "OutputName", "ChannelName", "PropertyFileName", "Key", "RuleConfigurationName")
_LONGEST = 60
_AROUND = 10


def differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """One line for each difference; a part that only one side has is one difference with all its content."""
    before, after = _entries(old, path), _entries(new, path)
    if before is None or after is None:
        if not same(old, new):
            yield f"{path}: {contrast(old, new)}"
        return
    for name in dict.fromkeys([*before, *after]):
        if name not in before:
            yield f"{name} added{_inside(after[name])}"
        elif name not in after:
            yield f"{name} removed{_inside(before[name])}"
        else:
            yield from differences(before[name], after[name], name)


def same(left: Any, right: Any) -> bool:
    """Whether two documents are equal apart from the order of keys and the spelling of numbers."""
    return _canonical(left) == _canonical(right)


def contrast(old: Any, new: Any) -> str:
    """How a value differs from another, in one short line."""
    if isinstance(old, list) and isinstance(new, list):
        return _contrast_lists(old, new)
    before, after = as_text(old), as_text(new)
    if before == after:  # "5" and 5
        before, after = json.dumps(old), json.dumps(new)
    if max(len(before), len(after)) > _LONGEST:
        before, after = _differing_parts(before, after)
    return f"{clip(before)} → {clip(after)}"


def as_text(value: Any) -> str:
    """A value for people: an expression as ${…}, text as it is."""
    if is_expression(value):
        try:
            return _expression(parse(value))
        except ExpressionError:
            return json.dumps(value)
    if isinstance(value, list):
        return ", ".join(map(as_text, value)) or "nothing"
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _entries(value: Any, path: str) -> dict[str, Any] | None:
    """The parts of a value by path; None for a value that counts as one."""
    if isinstance(value, Mapping) and not is_expression(value):
        return {f"{path}.{key}" if path else str(key): member for key, member in value.items()}
    if isinstance(value, list) and any(_entries(entry, "") is not None for entry in value):
        return {f"{path}[{name}]": entry for name, entry in zip(_entry_names(value), value, strict=True)}
    return None


def _inside(value: Any) -> str:
    return "" if _entries(value, "") else f": {clip(as_text(value))}"


def _entry_names(entries: list[Any]) -> list[Any]:
    """The names of the entries of a list, their indexes where they have no unique names."""
    for key in _NAMES:
        names = [entry.get(key) for entry in entries if isinstance(entry, Mapping)]
        if len(set(map(str, names))) == len(entries) and all(isinstance(name, str) for name in names):
            return names
    return list(range(len(entries)))


def _canonical(value: Any) -> str:
    """A text that is the same for all spellings of a document; 1 and 1.0 are the same, 1 and true are not."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _contrast_lists(old: list[Any], new: list[Any]) -> str:
    """The values that went out of a list, and those that came in."""
    before, after = [as_text(entry) for entry in old], [as_text(entry) for entry in new]
    if sorted(before) == sorted(after):
        return "another order"
    changes = []
    for kind, start, end, first, last in SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
        removed, added = clip(", ".join(before[start:end])), clip(", ".join(after[first:last]))
        lines = {"replace": f"{removed} → {added}", "delete": f"without {removed}", "insert": f"with {added}"}
        changes += [lines[kind]] if kind in lines else []
    return clip("; ".join(changes), 2 * _LONGEST)


def _differing_parts(left: str, right: str) -> tuple[str, str]:
    """Two long texts, cut to the part that differs with some context."""
    start = next(
        (index for index, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
    )
    most = min(len(left), len(right)) - start
    end = next((index for index in range(most) if left[-1 - index] != right[-1 - index]), most)
    cut, rest = max(0, start - _AROUND), max(0, end - _AROUND)
    return tuple(  # type: ignore[return-value]  # two in, two out
        ("…" if cut else "") + text[cut : len(text) - rest] + ("…" if rest else "") for text in (left, right)
    )


def _expression(value: Value) -> str:
    match value:
        case ParameterReference(name):
            return f"${{{name}}}"
        case ExecutionReference(name):
            return f"${{Execution.{name}}}"
        case StepReference(step, path) | IterationReference(step, path):
            return f"${{{step}{''.join(map(_segment, path))}}}"
        case JsonGet(path, step, file):
            return f"${{{step}.{file}:{path}}}" if step else f"${{{_expression(value.s3_uri)}:{path}}}"
        case Join(on, values):
            return on.join(map(_expression, values))
        case _:
            return as_text(value)


def _segment(segment: Member | Item) -> str:
    return f".{segment.name}" if isinstance(segment, Member) else f"[{segment.key}]"
