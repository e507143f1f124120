"""Divides the values of several metrics into pages, one metric after the other. Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from pedigree.localaws.http.protocol.errors import ServiceError

Values: TypeAlias = Sequence[tuple[float, float]]
_MOST = 100_800


def page(values: Mapping[str, Values], token: str | None, most: int | None) -> tuple[dict[str, Values], str | None]:
    """Return the values of a page, and the token of the next one, if there is one."""
    start = _start(token)
    end, position = start + int(most or _MOST), 0
    shown: dict[str, Values] = {}
    for key, listed in values.items():
        shown[key] = listed[max(0, start - position) : max(0, end - position)]
        position += len(listed)
    return shown, _token(end) if end < position else None


def _token(position: int) -> str:
    return base64.b64encode(str(position).encode()).decode()


def _start(token: str | None) -> int:
    try:
        return int(base64.b64decode(token, validate=True)) if token else 0
    except ValueError:
        raise ServiceError("InvalidNextToken", "The value of the parameter NextToken is invalid.") from None
