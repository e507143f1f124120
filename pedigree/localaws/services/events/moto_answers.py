"""moto's answers as members, to which members that it lacks are added, and pages of lists that it does not divide."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.http.service import Service

_MOST = 100


def members_of(moto: Service, exchange: Exchange) -> dict[str, Any]:
    """Let moto answer, and return the members of its answer; raise the error that it answers with."""
    answer = moto(exchange)
    members: dict[str, Any] = json.loads(answer.get_data() or b"{}")
    if answer.status_code >= HTTPStatus.BAD_REQUEST:
        raise ServiceError(members["__type"], members.get("message") or members.get("Message", ""), answer.status_code)
    return members


def page(name: str, items: Sequence[Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a list that a request asks for, and where the next one starts."""
    start = _start(request.get("NextToken"))
    end = start + int(request.get("Limit") or _MOST)
    following = {"NextToken": _token(end)} if end < len(items) else {}
    return {name: items[start:end], **following}


def _token(position: int) -> str:
    return base64.b64encode(str(position).encode()).decode()


def _start(token: str | None) -> int:
    try:
        return int(base64.b64decode(token, validate=True)) if token else 0
    except ValueError:
        raise InvalidRequestError("Parameter NextToken is not valid.") from None
