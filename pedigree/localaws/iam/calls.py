"""A call as the gate sees it: service, operation, members, and what can be looked up about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

Path = tuple[str, ...]
EACH = "[]"


@dataclass(frozen=True)
class Call:
    """An operation that somebody asks of a service, which is named as in a credential's scope."""

    service: str
    operation: str
    members: Mapping[str, Any]
    region: str


class Known(Protocol):
    """What is known of the resources that calls are about."""

    @property
    def account(self) -> str:
        """The account's id."""
        ...

    def tags(self, arn: str) -> Mapping[str, str]:
        """The tags of a resource."""
        ...

    def policy(self, resource: str) -> str:
        """The policy that hangs on a resource, as text; nothing if there is none."""
        ...

    def execution_of(self, token: str) -> str:
        """The ARN of the execution whose step waits with a token; nothing if there is none."""
        ...

    def function_of(self, mapping: str, region: str) -> str:
        """The ARN of the function that an event source mapping calls; nothing if there is none."""
        ...

    def role_named(self, name: str) -> str:
        """The ARN of a role."""
        ...

    def role_in(self, profile: str) -> str:
        """The ARN of the role in an instance profile; nothing if there is none."""
        ...


@cache
def path(text: str) -> Path:
    """A place in a request: Target.RoleArn, ProductionVariants[].InstanceType."""
    return tuple(text.replace(EACH, f".{EACH}").split("."))


def values(members: Any, place: Path) -> Iterator[Any]:
    """What stands at a place of a request: nothing, one value, or several."""
    if not place:
        if members is not None:
            yield from members if isinstance(members, (list, tuple)) else (members,)
        return
    head, rest = place[0], place[1:]
    if head == EACH:
        for one in members.values() if isinstance(members, Mapping) else members if isinstance(members, list) else ():
            yield from values(one, rest)
    elif isinstance(members, Mapping) and head in members:
        yield from values(members[head], rest)


def tags_in(members: Mapping[str, Any]) -> Mapping[str, str]:
    """The tags that a request brings, in whichever form its service writes them."""
    found: dict[str, str] = {}
    lists = [members.get("Tags"), members.get("tags"), *(one.get("Tags") for one in _specifications(members))]
    for tags in lists:
        if isinstance(tags, Mapping):
            found.update({str(key): str(value) for key, value in tags.items()})
        for one in tags if isinstance(tags, list) else ():
            lower = {str(key).lower(): value for key, value in one.items()} if isinstance(one, Mapping) else {}
            if "key" in lower:
                found[str(lower["key"])] = str(lower.get("value") or "")
    return found


def _specifications(members: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Where EC2 writes the tags of what it makes."""
    found = members.get("TagSpecifications")
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
