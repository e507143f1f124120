"""Answers List operations: filtered by name, time and status, sorted, and page by page.

Nearly all List operations have the same filters and sort orders; what differs is in a Listing.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pedigree.localaws.http.protocol.errors import InvalidRequestError

_DEFAULT_PAGE = 10
_LONGEST_POSITION = 9
# The prefixes of …After and …Before in requests, and the members that they filter by.
_TIMES = {"CreationTime": "CreationTime", "Created": "CreationTime", "LastModifiedTime": "LastModifiedTime"}


@dataclass(frozen=True)
class Listing:
    """How a kind of resource is listed: the key of the list, and the members with its name and status."""

    key: str
    name: str
    status: str = ""
    sorts: Mapping[str, str] = field(default_factory=dict)
    ascending: bool = False
    page: int = _DEFAULT_PAGE

    def answer(self, documents: Iterable[Mapping[str, Any]], request: Mapping[str, Any]) -> dict[str, Any]:
        """The page of documents for a request."""
        chosen = [document for document in documents if self._fits(document, request)]
        by = self._sort_member(request.get("SortBy", "CreationTime"))
        descending = request.get("SortOrder", "Ascending" if self.ascending else "Descending") == "Descending"
        chosen.sort(
            key=lambda document: (_order(document.get(by, "")), str(document.get(self.name, ""))), reverse=descending
        )
        start = _start(request.get("NextToken"))
        end = start + request.get("MaxResults", self.page)
        page: dict[str, Any] = {self.key: chosen[start:end]}
        return {**page, "NextToken": _token(end)} if end < len(chosen) else page

    def _sort_member(self, by: str) -> str:
        usual = {"Name": self.name, "Status": self.status, "CreationTime": "CreationTime"}
        return {**usual, **self.sorts}.get(by, by)

    def _fits(self, document: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
        contained, status = request.get("NameContains"), request.get("StatusEquals")
        if contained and contained.lower() not in str(document.get(self.name, "")).lower():
            return False
        if status and document.get(self.status) != status:
            return False
        return all(in_time(document, request, prefix, member) for prefix, member in _TIMES.items())


def _order(value: Any) -> tuple[float, str]:
    """The sort key of a value: numbers by value, everything else as text."""
    return (value, "") if isinstance(value, (int, float)) else (0.0, str(value))


def in_time(document: Mapping[str, Any], request: Mapping[str, Any], prefix: str, member: str) -> bool:
    """Whether a time of a document lies between the …After and …Before of a request, if it has any."""
    after, before = request.get(f"{prefix}After"), request.get(f"{prefix}Before")
    if after is None and before is None:
        return True
    moment = _seconds(document.get(member) or document["CreationTime"])
    return (after is None or moment > _seconds(after)) and (before is None or moment < _seconds(before))


def _seconds(moment: Any) -> float:
    if isinstance(moment, (int, float)):
        return float(moment)
    try:
        return dt.datetime.fromisoformat(str(moment).replace("Z", "+00:00")).timestamp()
    except ValueError:
        raise InvalidRequestError(f"1 validation error detected: '{moment}' is no time") from None


def _token(position: int) -> str:
    return base64.urlsafe_b64encode(f"from:{position}".encode()).decode()


def _start(token: Any) -> int:
    if token is None:
        return 0
    try:
        word, _, position = base64.b64decode(token, altchars=b"-_", validate=True).decode("ascii").partition(":")
    except ValueError:
        word, position = "", ""
    if word != "from" or not position.isdecimal() or len(position) > _LONGEST_POSITION:
        raise InvalidRequestError("Invalid pagination token")
    return int(position)
