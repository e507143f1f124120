"""Operations of REST services: known by method and path, with members in path, query, headers and body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pedigree.localaws.http.protocol.models import model

_LABEL = re.compile(r"\{([^}+]+)\+?\}")


@dataclass(frozen=True)
class _Route:
    operation: str
    method: str
    pattern: re.Pattern[str]
    labels: tuple[str, ...]
    fixed: Mapping[str, str]


def match(name: str, method: str, path: str, asked: Mapping[str, str]) -> tuple[str, Mapping[str, str]] | None:
    """The operation at a path, and what stands in the path's labels."""
    for route in _routes(name):
        found = route.pattern.fullmatch(path) if route.method == method else None
        if found and all(asked.get(key) == value for key, value in route.fixed.items()):
            return route.operation, dict(zip(route.labels, found.groups(), strict=True))
    return None


def members(
    shape: Any,
    labels: Mapping[str, str],
    asked: Mapping[str, str],
    headers: Mapping[str, str],
    content: Mapping[str, Any],
) -> dict[str, Any]:
    """The members of a request, each from where the model says that it stands."""
    sources: Mapping[str | None, Mapping[str, Any]] = {
        "uri": labels,
        "querystring": asked,
        "header": headers,
        None: content,
    }
    found = {}
    for name, member in (shape.members if shape is not None else {}).items():
        where = member.serialization.get("location")
        called = member.serialization.get("name", name)
        source = sources.get(where, {})
        value = source.get(called.lower() if where == "header" else called)
        if value is not None:
            found[name] = value
    return found


def has_payload(shape: Any) -> bool:
    """Whether the body as a whole is one member."""
    return "payload" in shape.serialization


@cache
def _routes(name: str) -> tuple[_Route, ...]:
    """All operations of a service, those with the most to recognise them by first."""
    operations = [model(name).operation_model(one) for one in model(name).operation_names]
    return tuple(_route(one) for one in sorted(operations, key=_recognisable, reverse=True))


def _recognisable(operation: Any) -> tuple[int, int]:
    path, _, query = operation.http["requestUri"].partition("?")
    return len(_LABEL.sub("", path)), len(query)


def _route(operation: Any) -> _Route:
    path, _, query = operation.http["requestUri"].partition("?")
    texts = [re.escape(one) for one in _LABEL.sub("\0", path.rstrip("/")).split("\0")]
    labels = tuple(_LABEL.findall(path))
    # The last label may have slashes in it: ARNs have.
    ends_in_label = path.rstrip("/").endswith("}")
    groups = ["([^/]+)"] * len(labels)
    if ends_in_label:
        groups[-1] = "(.+?)"
    pattern = "".join(text + group for text, group in zip(texts, [*groups, ""], strict=True))
    fixed = dict(one.partition("=")[::2] for one in query.split("&") if one)
    return _Route(operation.name, operation.http["method"], re.compile(f"{pattern}/?"), labels, fixed)
