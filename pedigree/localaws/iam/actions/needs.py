"""Derives from a call what it needs: actions on resources, with condition keys.

A table says it for one service, as data: an operation needs actions on resources, whose ARNs are written with the
request's members in braces. An operation that is in no table needs the action of its own name on everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from typing import Any, TypeAlias

from pedigree.iam import Request
from pedigree.localaws.http.protocol.call import Call
from pedigree.localaws.iam.actions.members import path, places, tags_in, values
from pedigree.localaws.iam.actions.resources import Resources

ANY = "*"
_MEMBER = re.compile(r"\{([\w.\[\]]+)(?:\|([^}]*))?\}")
Members: TypeAlias = Mapping[str, Any]
Derive: TypeAlias = Callable[[Call, Resources], Members]


@dataclass(frozen=True)
class Need:
    """One action on resources. Without an action it is the operation's own; with a member, only where that is given.

    Keys are condition keys, each with the place in the request that tells its value.
    """

    resource: str = ANY
    action: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    only_with: str = ""


@dataclass(frozen=True)
class ActionTable:
    """What a service's operations need.

    passes: the service that roles are passed to, and the members that name the roles. anywhere: condition keys, each
    with the members that have its values in any place. tagging: the action that tags in a request need as well.
    derive: members that are computed from others.
    """

    model: str
    prefix: str
    needs: Mapping[str, tuple[Need, ...]]
    keys: Mapping[str, str] = field(default_factory=dict)
    anywhere: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    passes: tuple[str, tuple[str, ...]] = ("", ())
    tagging: str = ""
    derive: Derive = field(default=lambda _call, _resources: {})
    is_global: bool = False


def requests(table: ActionTable, call: Call, resources: Resources) -> Iterator[Request]:
    """What a call needs, one request after the other."""
    members = {**call.members, **table.derive(call, resources)}
    tags = tags_in(members)
    common: dict[str, Any] = {**_context(table, call.operation, members), **_tag_keys(tags)}
    needs = table.needs.get(call.operation, (Need(),))
    for number, need in enumerate(needs):
        if need.only_with and not any(True for _ in values(members, path(need.only_with))):
            continue
        own = {key: _scalars(list(values(members, path(place)))) for key, place in need.keys.items()}
        for resource in _arns(table, need.resource, call, members, resources):
            of_resource = {f"aws:ResourceTag/{key}": value for key, value in resources.tags(resource).items()}
            action = need.action or f"{table.prefix}:{call.operation}"
            yield Request(action, resource, {**common, **own, **of_resource})
            if number == 0 and tags and table.tagging and resource != ANY and _makes(call):
                yield Request(f"{table.prefix}:{table.tagging}", resource, {**common, **of_resource})
    yield from _passing(table, call.operation, members)


def _makes(call: Call) -> bool:
    return call.operation.startswith(("Create", "Put"))


def _context(table: ActionTable, operation: str, members: Members) -> dict[str, Any]:
    by_key = {key: list(values(members, path(place))) for key, place in table.keys.items()}
    for key, endings in table.anywhere.items():
        by_key[key] = [
            *by_key.get(key, ()),
            *(value for place in places(table.model, operation, endings) for value in values(members, place)),
        ]
    return {key: _scalars(several) for key, several in by_key.items() if several}


def _scalars(several: list[Any]) -> list[Any]:
    """Each value once: a condition key with one value is single-valued, in however many places it stands."""
    return list(dict.fromkeys(value for value in several if isinstance(value, (str, bool, int, float))))


def _tag_keys(tags: Mapping[str, str]) -> dict[str, Any]:
    if not tags:
        return {}
    return {"aws:TagKeys": list(tags), **{f"aws:RequestTag/{key}": value for key, value in tags.items()}}


def _passing(table: ActionTable, operation: str, members: Members) -> Iterator[Request]:
    """A caller that names a role for a service to assume needs iam:PassRole."""
    service, endings = table.passes
    roles = (
        [role for place in places(table.model, operation, endings) for role in values(members, place)]
        if service
        else []
    )
    for role in dict.fromkeys(str(role) for role in roles):
        yield Request("iam:PassRole", role, {"iam:PassedToService": service})


def _arns(table: ActionTable, text: str, call: Call, members: Members, resources: Resources) -> Iterator[str]:
    """The ARNs that a template stands for; everything, where a member is missing.

    A member that says alone what is meant may be an ARN itself.
    """
    pieces = _pieces(text)
    several = [
        [str(value) for value in values(members, path(piece[0]))] or ([piece[1]] if piece[1] is not None else [])
        for piece in pieces
        if isinstance(piece, tuple)
    ]
    if not all(several):
        yield ANY
        return
    for chosen in product(*several):
        arn = chosen[0] if len(chosen) == 1 and chosen[0].startswith("arn:") else ""
        filled = iter(chosen)
        yield arn or _arn(
            table, call, resources, "".join(next(filled) if isinstance(piece, tuple) else piece for piece in pieces)
        )


@cache
def _pieces(text: str) -> tuple[str | tuple[str, str | None], ...]:
    """A template's texts and members in order; a member may have a default for when it is missing."""
    pieces: list[str | tuple[str, str | None]] = []
    end = 0
    for match in _MEMBER.finditer(text):
        pieces += [text[end : match.start()], (match[1], match[2])]
        end = match.end()
    return (*(piece for piece in pieces if piece), text[end:])


def _arn(table: ActionTable, call: Call, resources: Resources, resource: str) -> str:
    if resource == ANY or resource.startswith("arn:"):
        return resource
    region, account = ("" if table.is_global else call.region), resources.account
    return f"arn:aws:{table.prefix}:{region}:{account}:{resource}"
