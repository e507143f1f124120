"""CloudWatch Logs with pages: its tokens, its empty pages, and streams that grow while they are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.support.fakes.clients import FakeService


@dataclass
class LogGroups(FakeService):
    """Groups with streams of events; each event is its time in milliseconds and its message."""

    groups: dict[str, dict[str, list[tuple[int, str]]]] = field(default_factory=dict)
    page: int = 2
    has_empty_pages: bool = True

    def add(self, group: str, stream: str, *events: tuple[int, str]) -> None:
        self.groups.setdefault(group, {}).setdefault(stream, []).extend(events)

    def describe_log_streams(self, request: dict[str, Any]) -> dict[str, Any]:
        names = [name for name in self._group(request) if name.startswith(request["logStreamNamePrefix"])]
        first = int(request.get("nextToken", 0))
        more = {"nextToken": str(first + self.page)} if len(names) > first + self.page else {}
        return {"logStreams": [{"logStreamName": name} for name in names[first : first + self.page]], **more}

    def get_log_events(self, request: dict[str, Any]) -> dict[str, Any]:
        """At the end, the answer has the token of the request; a page before may be empty."""
        assert request["startFromHead"]
        events = self._group(request)[request["logStreamName"]]
        kept = [event for event in events if event[0] >= request.get("startTime", 0)]
        token = request.get("nextToken", "")
        if self.has_empty_pages and not token:
            return {"events": [], "nextForwardToken": "f/0"}
        first = int(token.partition("/")[2] or 0)
        events_of_page = [{"timestamp": time, "message": text} for time, text in kept[first : first + self.page]]
        return {"events": events_of_page, "nextForwardToken": f"f/{first + len(events_of_page)}"}

    def filter_log_events(self, request: dict[str, Any]) -> dict[str, Any]:
        """The last page has no token; a page before may be empty."""
        events = sorted(
            (time, number, stream, text)
            for stream, stream_events in self._group(request).items()
            for number, (time, text) in enumerate(stream_events)
            if request.get("startTime", 0) <= time <= request.get("endTime", time)
        )
        token = request.get("nextToken", "")
        if self.has_empty_pages and not token:
            return {"events": [], "nextToken": "n/0"}
        first = int(token.partition("/")[2] or 0)
        shown = [
            {"timestamp": time, "message": text, "logStreamName": stream, "eventId": f"{stream}-{number}"}
            for time, number, stream, text in events[first : first + self.page]
        ]
        more = {"nextToken": f"n/{first + self.page}"} if len(events) > first + self.page else {}
        return {"events": shown, **more}

    def _group(self, request: dict[str, Any]) -> dict[str, list[tuple[int, str]]]:
        if request["logGroupName"] not in self.groups:
            self.refuse("ResourceNotFoundException", "The specified log group does not exist.")
        return self.groups[request["logGroupName"]]
