"""Reads events of CloudWatch Logs in order of time, over several streams, and goes on where it ended.

A stream of a job is read by GetLogEvents, whose token continues exactly. A function or an endpoint writes to streams
that also hold what others caused, so a window of time is read by FilterLogEvents, which names each event.
An event leaves a buffer only when it is returned, so a call that fails loses nothing.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.account.account import Account


@dataclass(frozen=True)
class LogEvent:
    """One message of a step's job."""

    label: str
    milliseconds: int
    message: str


class EventReader:
    """The events of one source; each pass continues where the last one ended."""

    def __init__(self, account: Account, label: str, request: Mapping[str, Any]) -> None:
        self.account, self.label, self.request = account, label, request
        self.is_empty = True
        self._buffer: deque[LogEvent] = deque()
        self._has_ended = False

    def begin(self) -> None:
        """Starts another pass."""
        self._has_ended = False

    def peek(self) -> LogEvent | None:
        """The next event; None at the present end."""
        while not self._buffer and not self._has_ended:
            events, self._has_ended = self.fetch()
            self._buffer.extend(LogEvent(self.label, event["timestamp"], event["message"]) for event in events)
        return self._buffer[0] if self._buffer else None

    def pop(self) -> LogEvent:
        """Takes the next event."""
        self.is_empty = False
        return self._buffer.popleft()

    def fetch(self) -> tuple[list[Any], bool]:
        """The events of the next page, and whether it is the last one."""
        raise NotImplementedError


class StreamReader(EventReader):
    """The events of one stream. Its end is where a page has the token that it was asked with, and no empty page."""

    _token = ""

    def fetch(self) -> tuple[list[Any], bool]:
        token = {"nextToken": self._token} if self._token else {}
        answer = self.account.find("logs", "get_log_events", startFromHead=True, **self.request, **token)
        if answer is None:
            return [], True
        before, self._token = self._token, answer["nextForwardToken"]
        return answer["events"], before == self._token


class WindowReader(EventReader):
    """The events of all streams of a group in a window of time; each pass reads the window and knows what it has."""

    def __init__(self, account: Account, label: str, request: Mapping[str, Any]) -> None:
        super().__init__(account, label, request)
        self._ids: set[str] = set()
        self._token = ""

    def fetch(self) -> tuple[list[Any], bool]:
        token = {"nextToken": self._token} if self._token else {}
        answer = self.account.find("logs", "filter_log_events", interleaved=True, **self.request, **token)
        if answer is None:
            return [], True
        self._token = answer.get("nextToken", "")
        events = [event for event in answer["events"] if event["eventId"] not in self._ids]
        self._ids.update(event["eventId"] for event in events)
        return events, not self._token


def in_order(readers: Collection[EventReader]) -> Iterator[LogEvent]:
    """The new events of all readers, the oldest first."""
    by_number = dict(enumerate(readers))
    for reader in readers:
        reader.begin()
    heads = [(event.milliseconds, number) for number, reader in by_number.items() if (event := reader.peek())]
    heapq.heapify(heads)
    while heads:
        _, number = heapq.heappop(heads)
        yield by_number[number].pop()
        following = by_number[number].peek()
        if following:
            heapq.heappush(heads, (following.milliseconds, number))


def stream_names(account: Account, group: str, prefix: str) -> list[str]:
    """The streams of a group whose names begin like this; none where there is no group."""
    names: list[str] = []
    token: dict[str, str] = {}
    while True:
        request = {"logGroupName": group, "logStreamNamePrefix": prefix, **token}
        answer = account.find("logs", "describe_log_streams", **request) or {}
        names += [stream["logStreamName"] for stream in answer.get("logStreams", ())]
        if not answer.get("nextToken"):
            return names
        token = {"nextToken": answer["nextToken"]}
