"""What is asked of each variant: counted by the second, added up over a minute, drained for CloudWatch."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

MINUTE = 60.0
_LATELY = 10.0


@dataclass(frozen=True)
class Asked:
    """One invocation: when, how long the model took and the way to it, and what status came of it."""

    moment: float
    model_seconds: float
    overhead_seconds: float
    status: int

    @property
    def is_client_error(self) -> bool:
        """Whether the model refused it."""
        return HTTPStatus.BAD_REQUEST <= self.status < HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def is_server_error(self) -> bool:
        """Whether the model failed, or did not answer in time, which has no status."""
        return self.status != HTTPStatus.OK and not self.is_client_error


@dataclass
class _Counted:
    recent: deque[Asked] = field(default_factory=deque)
    undrained: list[Asked] = field(default_factory=list)


class Meter:
    """Counts invocations by endpoint and variant."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._counted: dict[tuple[str, str], _Counted] = defaultdict(_Counted)

    def note(self, endpoint: str, variant: str, model_seconds: float, overhead_seconds: float, status: int) -> None:
        """Count one."""
        asked = Asked(self._monotonic(), model_seconds, overhead_seconds, status)
        with self._lock:
            counted = self._counted[endpoint, variant]
            counted.recent.append(asked)
            counted.undrained.append(asked)
            self._forget(counted)

    def last_minute(self, endpoint: str, variant: str) -> int:
        """How many there were in the last minute."""
        with self._lock:
            counted = self._counted[endpoint, variant]
            self._forget(counted)
            return len(counted.recent)

    def concurrent(self, endpoint: str, variant: str) -> float:
        """How many there were at a time in the last seconds, on the average: how long they took, over those seconds."""
        with self._lock:
            recent = self._counted[endpoint, variant].recent
            oldest = self._monotonic() - _LATELY
            busy = sum(one.model_seconds + one.overhead_seconds for one in reversed(recent) if one.moment >= oldest)
        return busy / _LATELY

    def drain(self) -> dict[tuple[str, str], list[Asked]]:
        """What was counted since the last time, by endpoint and variant."""
        with self._lock:
            drained = {key: counted.undrained for key, counted in self._counted.items() if counted.undrained}
            for key in drained:
                self._counted[key].undrained = []
        return drained

    def _forget(self, counted: _Counted) -> None:
        oldest = self._monotonic() - MINUTE
        while counted.recent and counted.recent[0].moment < oldest:
            counted.recent.popleft()
