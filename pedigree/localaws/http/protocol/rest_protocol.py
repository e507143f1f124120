"""Reads requests of REST services: method and path name the operation; members are in path, query, headers and body."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, TypeAlias
from urllib.parse import quote

from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.http.protocol.models import input_shape, model
from pedigree.localaws.http.protocol.urls import decoded

Query: TypeAlias = Mapping[str, Sequence[str]]
_LABEL = re.compile(r"\{([^}+]+)\+?\}")


@dataclass(frozen=True)
class _Route:
    operation: str
    pattern: re.Pattern[str]
    labels: tuple[str, ...]
    fixed: Mapping[str, str]


def match(name: str, method: str, raw_path: str, query: Query) -> tuple[str, Mapping[str, str]] | None:
    """The operation of a method and a path as it was sent, and the values of the path's labels.

    Labels are decoded after the path is split: %2F is a slash in a name.
    """
    for route in _routes(name).get(method, ()):
        labels = route.pattern.fullmatch(raw_path)
        if labels and all(query.get(key) == [value] for key, value in route.fixed.items()):
            return route.operation, dict(zip(route.labels, map(decoded, labels.groups()), strict=True))
    return None


def raw_path(name: str, operation: str, members: Mapping[str, Any]) -> str:
    """The path of an operation, with the values of its labels from the members."""
    path, _, _ = model(name).operation_model(operation).http["requestUri"].partition("?")
    labels = {label: member for member, where, label, _ in _locations(name, operation) if where == "uri"}
    return _LABEL.sub(lambda label: quote(str(members[labels[label[1]]]), safe=":"), path)


def members(
    name: str,
    operation: str,
    labels: Mapping[str, str],
    query: Query,
    headers: Mapping[str, str],
    content: Mapping[str, Any],
) -> dict[str, Any]:
    """The members of a request, each from where the model says that it stands."""
    sources: Mapping[str | None, Mapping[str, Any]] = {
        "uri": labels,
        "querystring": query,
        "header": headers,
        None: content,
    }
    members = {}
    for member, where, wire_name, shape in _locations(name, operation):
        value = sources.get(where, {}).get(wire_name)
        if value is not None:
            members[member] = _query_value(shape, wire_name, value) if where == "querystring" else value
    return members


@lru_cache(maxsize=2048)
def _locations(name: str, operation: str) -> Sequence[tuple[str, str | None, str, Any]]:
    """Where each member of an operation's request stands, under which name; names of headers are in small letters."""
    shape = input_shape(name, operation)
    locations: list[tuple[str, str | None, str, Any]] = []
    for member, inner in (shape.members if shape is not None else {}).items():
        where, wire_name = inner.serialization.get("location"), str(inner.serialization.get("name", member))
        locations.append((member, where, wire_name.lower() if where == "header" else wire_name, inner))
    return locations


def _query_value(member: Any, name: str, values: Sequence[str]) -> Any:
    """The value of a parameter: all of its values for a list, the only one for all else."""
    if member.type_name == "list":
        return list(values)
    if len(values) > 1:
        raise InvalidRequestError(f"The request has several values of {name}")
    return values[0]


def has_payload(shape: Any) -> bool:
    """Whether the body as a whole is one member."""
    return "payload" in shape.serialization


@cache
def _routes(name: str) -> Mapping[str, Sequence[_Route]]:
    """The operations of a service by method, the most specific paths first."""
    operations = [model(name).operation_model(operation) for operation in model(name).operation_names]
    routes: dict[str, list[_Route]] = defaultdict(list)
    for operation in sorted(operations, key=_specificity, reverse=True):
        routes[operation.http["method"]].append(_route(operation))
    return routes


def _specificity(operation: Any) -> tuple[int, int]:
    path, _, query = operation.http["requestUri"].partition("?")
    return len(_LABEL.sub("", path)), len(query)


def _route(operation: Any) -> _Route:
    path, _, query = operation.http["requestUri"].partition("?")
    texts = [re.escape(text) for text in _LABEL.sub("\0", path.rstrip("/")).split("\0")]
    labels = tuple(_LABEL.findall(path))
    # The last label may have slashes in it: ARNs have.
    ends_in_label = path.rstrip("/").endswith("}")
    groups = ["([^/]+)"] * len(labels)
    if ends_in_label:
        groups[-1] = "(.+?)"
    pattern = "".join(text + group for text, group in zip(texts, [*groups, ""], strict=True))
    fixed = dict(word.partition("=")[::2] for word in query.split("&") if word)
    return _Route(operation.name, re.compile(f"{pattern}/?"), labels, fixed)
