"""Two JSON documents held against each other, field by field: a short line for each difference.

Entries of a list that have names are found by them, wherever they stand; a list of plain values and an expression are
one value each. Paths read like those of a request: InputDataConfig[train].DataSource.S3DataSource.S3Uri
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
    """What differs, told at the outermost place that is there on one side only."""
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


def same(one: Any, other: Any) -> bool:
    """Whether two documents are equal, whatever the order of keys and the way in which numbers are written."""
    return _canonical(one) == _canonical(other)


def contrast(old: Any, new: Any) -> str:
    """How a value differs from another, in one short line."""
    if isinstance(old, list) and isinstance(new, list):
        return _contrast_lists(old, new)
    before, after = shown(old), shown(new)
    if before == after:  # "5" and 5
        before, after = json.dumps(old), json.dumps(new)
    if max(len(before), len(after)) > _LONGEST:
        before, after = _without_what_is_common(before, after)
    return f"{clip(before)} → {clip(after)}"


def shown(value: Any) -> str:
    """A value as people read it: an expression as ${…}, text as it is."""
    if is_expression(value):
        try:
            return _expression(parse(value))
        except ExpressionError:
            return json.dumps(value)
    if isinstance(value, list):
        return ", ".join(map(shown, value)) or "nothing"
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _entries(value: Any, path: str) -> dict[str, Any] | None:
    """What lies in a value, by its path; None where the value is one by itself."""
    if isinstance(value, Mapping) and not is_expression(value):
        return {f"{path}.{key}" if path else str(key): member for key, member in value.items()}
    if isinstance(value, list) and any(_entries(entry, "") is not None for entry in value):
        return {f"{path}[{name}]": entry for name, entry in zip(_entry_names(value), value, strict=True)}
    return None


def _inside(value: Any) -> str:
    return "" if _entries(value, "") else f": {clip(shown(value))}"


def _entry_names(entries: list[Any]) -> list[Any]:
    """Names that tell the entries of a list apart; their places where there are none."""
    for key in _NAMES:
        names = [entry.get(key) for entry in entries if isinstance(entry, Mapping)]
        if len(set(map(str, names))) == len(entries) and all(isinstance(name, str) for name in names):
            return names
    return list(range(len(entries)))


def _canonical(value: Any) -> str:
    """A document as the one text that all its spellings have; 1 and 1.0 are one number, and true is none."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _contrast_lists(old: list[Any], new: list[Any]) -> str:
    """What went out of a list of plain values, and what came in."""
    before, after = [shown(entry) for entry in old], [shown(entry) for entry in new]
    if sorted(before) == sorted(after):
        return "another order"
    told = []
    for kind, start, end, first, last in SequenceMatcher(a=before, b=after, autojunk=False).get_opcodes():
        gone, come = clip(", ".join(before[start:end])), clip(", ".join(after[first:last]))
        told += {"replace": [f"{gone} → {come}"], "delete": [f"without {gone}"], "insert": [f"with {come}"]}.get(
            kind, []
        )
    return clip("; ".join(told), 2 * _LONGEST)


def _without_what_is_common(one: str, other: str) -> tuple[str, str]:
    """Two long texts, cut to where they differ and what stands around that."""
    start = next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    most = min(len(one), len(other)) - start
    end = next((place for place in range(most) if one[-1 - place] != other[-1 - place]), most)
    cut, kept = max(0, start - _AROUND), max(0, end - _AROUND)
    return tuple(  # type: ignore[return-value]  # of two comes two
        ("…" if cut else "") + text[cut : len(text) - kept] + ("…" if kept else "") for text in (one, other)
    )


def _expression(value: Value) -> str:
    match value:
        case ParameterReference(name):
            return f"${{{name}}}"
        case ExecutionReference(name):
            return f"${{Execution.{name}}}"
        case StepReference(step, path):
            return f"${{{step}{''.join(map(_segment, path))}}}"
        case JsonGet(path, step, file):
            return f"${{{step}.{file}:{path}}}" if step else f"${{{_expression(value.s3_uri)}:{path}}}"
        case Join(on, values):
            return on.join(map(_expression, values))
        case _:
            return shown(value)


def _segment(segment: Member | Item) -> str:
    return f".{segment.name}" if isinstance(segment, Member) else f"[{segment.key}]"
