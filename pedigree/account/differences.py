"""Says how a resource differs from the settings: a line for each difference.

AWS answers in other words than it was asked in: a list of one is a text, numbers are texts, policies are JSON in a
text, and what was left out comes back with its default. So values are compared by what they mean, and only as far as
we have asked for them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pedigree.language.text import clip

_LONGEST = 81


def fields(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that are not as wanted."""
    return tuple(
        f"{name} is {shown(found.get(name))}, not {shown(value)}"
        for name, value in wanted.items()
        if not covers(found.get(name), value)
    )


def covers(found: Any, wanted: Any) -> bool:
    """Whether a value includes all that is wanted; it may have more."""
    if isinstance(wanted, Mapping):
        own = found if isinstance(found, Mapping) else {}
        return all(covers(own.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, (list, tuple)):
        listed = found if isinstance(found, (list, tuple)) else [found]
        return len(listed) == len(wanted) and all(map(covers, listed, wanted))
    return bool(found == wanted) or (not found and not wanted and not isinstance(wanted, (bool, int)))


def documents(name: str, found: Any, wanted: Any) -> tuple[str, ...]:
    """The differences between two policies, statement by statement."""
    if same(found, wanted):
        return ()
    there, asked = _statements(found), _statements(wanted)
    told = [
        *(f"{name}: statement {sid} is missing" for sid in asked if sid not in there),
        *(f"{name}: statement {sid} is not ours" for sid in there if sid not in asked),
        *(f"{name}: statement {sid} was changed" for sid in asked if sid in there and asked[sid] != there[sid]),
    ]
    return tuple(told) or (f"{name} was changed",)


def canonical(value: Any) -> Any:
    """A JSON document in the one form that all documents of its meaning have."""
    if isinstance(value, Mapping):
        return {key: canonical(member) for key, member in sorted(value.items())}
    if isinstance(value, (list, tuple)):
        members = sorted((canonical(member) for member in value), key=_sorting)
        return members[0] if len(members) == 1 else members
    return str(value).lower() if isinstance(value, bool) else str(value)


def same(found: Any, wanted: Any) -> bool:
    """Whether two documents mean the same, neither more nor less."""
    return bool(canonical(found) == canonical(wanted))


def includes(found: Any, wanted: Any) -> bool:
    """Whether a document means what is wanted, and perhaps more: a service adds defaults to some."""
    return covers(canonical(found), canonical(wanted))


def mended(
    found: Sequence[Mapping[str, Any]],
    wanted: Iterable[Mapping[str, Any]],
    key: str,
    is_so: Callable[[Any, Any], bool] = same,
) -> list[Any] | None:
    """The list to write: our entries as wanted, others as they are; None if nothing differs."""
    ours = {entry[key]: entry for entry in wanted}
    there = {entry.get(key): entry for entry in found}
    if all(name in there and is_so(there[name], one) for name, one in ours.items()):
        return None
    return [*(entry for entry in found if entry.get(key) not in ours), *ours.values()]


def shown(value: Any) -> str:
    """A value as a line can show it."""
    text = (
        "not set"
        if value in (None, "", {}, [])
        else value
        if isinstance(value, str)
        else json.dumps(value, default=str)
    )
    return clip(text, _LONGEST)


def _statements(document: Any) -> dict[str, Any]:
    """The statements of a policy by name, or by their place where they have none."""
    given = document.get("Statement", ()) if isinstance(document, Mapping) else ()
    listed: Iterator[Any] = iter(given if isinstance(given, (list, tuple)) else [given])
    return {one.get("Sid") or f"{number + 1}": canonical(one) for number, one in enumerate(listed)}


def _sorting(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
