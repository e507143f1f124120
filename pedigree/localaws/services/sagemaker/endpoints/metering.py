"""Counts the invocations of each variant, for autoscaling and for CloudWatch."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

MINUTE = 60.0
_RECENT_SECONDS = 10.0


@dataclass(frozen=True)
class EndpointInvocation:
    """One invocation: its moment, the seconds of the model and of the overhead, and the status."""

    moment: float
    model_seconds: float
    overhead_seconds: float
    status: int

    @property
    def is_client_error(self) -> bool:
        """Whether the model refused the request."""
        return HTTPStatus.BAD_REQUEST <= self.status < HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def is_server_error(self) -> bool:
        """Whether the model failed, or did not answer in time."""
        return self.status != HTTPStatus.OK and not self.is_client_error


@dataclass
class _VariantCounts:
    recent: deque[EndpointInvocation] = field(default_factory=deque)
    undrained: list[EndpointInvocation] = field(default_factory=list)


class Meter:
    """Counts invocations by endpoint and variant."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._counted: dict[tuple[str, str], _VariantCounts] = defaultdict(_VariantCounts)
        self._backlogs: Mapping[str, int] = {}

    def note(self, endpoint: str, variant: str, model_seconds: float, overhead_seconds: float, status: int) -> None:
        """Count an invocation."""
        invocation = EndpointInvocation(self._monotonic(), model_seconds, overhead_seconds, status)
        with self._lock:
            counted = self._counted[endpoint, variant]
            counted.recent.append(invocation)
            counted.undrained.append(invocation)
            self._forget(counted)

    def last_minute(self, endpoint: str, variant: str) -> int:
        """The number of invocations in the last minute."""
        with self._lock:
            counted = self._counted[endpoint, variant]
            self._forget(counted)
            return len(counted.recent)

    def concurrent(self, endpoint: str, variant: str) -> float:
        """The average concurrency in the last seconds: the total time of invocations, divided by those seconds."""
        with self._lock:
            recent = self._counted[endpoint, variant].recent
            oldest = self._monotonic() - _RECENT_SECONDS
            lately = [invocation for invocation in recent if invocation.moment >= oldest]
        busy = sum(invocation.model_seconds + invocation.overhead_seconds for invocation in lately)
        return busy / _RECENT_SECONDS

    def note_backlogs(self, waiting: Mapping[str, int]) -> None:
        """Note how many asynchronous invocations wait at each endpoint; one that had some keeps its 0."""
        with self._lock:
            self._backlogs = {**dict.fromkeys(self._backlogs, 0), **waiting}

    def backlogs(self) -> Mapping[str, int]:
        """How many asynchronous invocations wait, by endpoint."""
        return self._backlogs

    def drain(self) -> dict[tuple[str, str], list[EndpointInvocation]]:
        """Return the invocations since the last call, by endpoint and variant."""
        with self._lock:
            drained = {key: counted.undrained for key, counted in self._counted.items() if counted.undrained}
            for key in drained:
                self._counted[key].undrained = []
        return drained

    def _forget(self, counted: _VariantCounts) -> None:
        oldest = self._monotonic() - MINUTE
        while counted.recent and counted.recent[0].moment < oldest:
            counted.recent.popleft()
