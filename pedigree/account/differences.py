"""Compares a resource with the settings: a line for each difference.

AWS returns values in another form than it received them: a list of one is a text, numbers are texts, policies are JSON
in a text, and members that were left out come back with their defaults. So values are compared by meaning, and only
the members that the settings name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pedigree.language.text import clip

_LONGEST = 81


def fields(actual: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that are not as wanted."""
    return tuple(
        f"{name} is {as_text(actual.get(name))}, not {as_text(value)}"
        for name, value in wanted.items()
        if not covers(actual.get(name), value)
    )


def covers(actual: Any, wanted: Any) -> bool:
    """Whether a value includes all that is wanted; it may have more."""
    if isinstance(wanted, Mapping):
        own = actual if isinstance(actual, Mapping) else {}
        return all(covers(own.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, (list, tuple)):
        listed = actual if isinstance(actual, (list, tuple)) else [actual]
        return len(listed) == len(wanted) and all(map(covers, listed, wanted))
    return bool(actual == wanted) or (not actual and not wanted and not isinstance(wanted, (bool, int)))


def documents(name: str, actual: Any, wanted: Any) -> tuple[str, ...]:
    """The differences between two policies, statement by statement."""
    if same(actual, wanted):
        return ()
    existing, desired = _statements(actual), _statements(wanted)
    reasons = [
        *(f"{name}: statement {sid} is missing" for sid in desired if sid not in existing),
        *(f"{name}: statement {sid} is not ours" for sid in existing if sid not in desired),
        *(
            f"{name}: statement {sid} was changed"
            for sid in desired
            if sid in existing and desired[sid] != existing[sid]
        ),
    ]
    return tuple(reasons) or (f"{name} was changed",)


def canonical(value: Any) -> Any:
    """The canonical form of a JSON document: documents of the same meaning become equal."""
    if isinstance(value, Mapping):
        return {key: canonical(member) for key, member in sorted(value.items())}
    if isinstance(value, (list, tuple)):
        members = sorted((canonical(member) for member in value), key=_sorting)
        return members[0] if len(members) == 1 else members
    return str(value).lower() if isinstance(value, bool) else str(value)


def same(actual: Any, wanted: Any) -> bool:
    """Whether two documents mean the same, neither more nor less."""
    return bool(canonical(actual) == canonical(wanted))


def includes(actual: Any, wanted: Any) -> bool:
    """Whether a document means what is wanted, and perhaps more: a service adds defaults to some."""
    return covers(canonical(actual), canonical(wanted))


def merged(
    actual: Sequence[Mapping[str, Any]],
    wanted: Iterable[Mapping[str, Any]],
    key: str,
    is_so: Callable[[Any, Any], bool] = same,
) -> list[Any] | None:
    """The list to write: our entries as wanted, others as they are; None if nothing differs."""
    ours = {entry[key]: entry for entry in wanted}
    existing = {entry.get(key): entry for entry in actual}
    if all(name in existing and is_so(existing[name], entry) for name, entry in ours.items()):
        return None
    return [*(entry for entry in actual if entry.get(key) not in ours), *ours.values()]


def as_text(value: Any) -> str:
    """A value as a text short enough for a line."""
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
    return {statement.get("Sid") or f"{number + 1}": canonical(statement) for number, statement in enumerate(listed)}


def _sorting(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
