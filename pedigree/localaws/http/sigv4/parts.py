"""The parts of a request that a signature covers, as they came over the wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote_to_bytes


@dataclass(frozen=True)
class RequestParts:
    """Method, path and query are as sent, with their percent signs; names of headers are in small letters."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]

    @cached_property
    def parameters(self) -> Mapping[str, str]:
        """The query's parameters, decoded; of several values of one name, the first."""
        decoded = [(_text(name), _text(value)) for name, value in pairs(self.query)]
        return dict(reversed(decoded))


def pairs(query: str) -> Iterator[tuple[bytes, bytes]]:
    """The names and values in a query, decoded as the services decode them: a plus sign is a space."""
    for piece in query.split("&"):
        name, _, value = piece.replace("+", " ").partition("=")
        if piece:
            yield unquote_to_bytes(name), unquote_to_bytes(value)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
