"""The environments of all functions: kept while warm, several at once when calls overlap, ended when nobody needs them.

A call takes an environment that is idle, or waits for whichever comes first: that one becomes idle, or that there is
a core to start another. So a burst of short calls needs a few processes, and long calls get one each.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.services.lambda_.execution_environment import ExecutionEnvironment, HandlerResult
from pedigree.localaws.services.lambda_.function_catalog import Function

ACCOUNT_LIMIT = 64
_OLDEST_SECONDS = 2400.0  # younger than the credentials that it was started with
_LONGEST_WAIT = 1.0


@dataclass(frozen=True)
class WarmEnvironment:
    """An environment of a function, with its stream of the log, and how it was started."""

    environment: ExecutionEnvironment
    function: Function
    stream: str
    started: HandlerResult
    init_seconds: float

    @property
    def is_fit(self) -> bool:
        """Whether it can take another call."""
        age = time.monotonic() - self.environment.began
        return self.environment.is_alive and age < _OLDEST_SECONDS


OnProcessStart: TypeAlias = Callable[[ExecutionEnvironment], None]
"""Told an environment that has begun to load, and may have to be ended before it is ready."""
StartEnvironment: TypeAlias = Callable[[Function, bool, OnProcessStart], WarmEnvironment]
"""Start an environment for a function; whether it is provisioned, which is told to the function."""


class ThrottledError(ServiceError):
    """More calls at once than a function or the account has."""

    def __init__(self, reason: str) -> None:
        super().__init__("TooManyRequestsException", "Rate Exceeded.", 429)
        self.details = {"Reason": reason, "retryAfterSeconds": "1"}
        self.headers = {"Retry-After": "1"}


class EnvironmentPool:
    """All environments that run."""

    def __init__(self, start: StartEnvironment, cores: int, idle_seconds: float) -> None:
        self._start = start
        self._cores = cores
        self._idle_seconds = idle_seconds
        self._changed = threading.Condition()
        self._idle: defaultdict[str, list[WarmEnvironment]] = defaultdict(list)
        self._loading: set[ExecutionEnvironment] = set()
        self._running: dict[int, WarmEnvironment] = {}
        self._busy: Counter[str] = Counter()
        self._starting = 0
        self._provisioned: Mapping[str, int] = {}
        self._is_over = False

    @property
    def is_over(self) -> bool:
        """Whether nothing can be called any more."""
        return self._is_over

    def take(self, function: Function) -> tuple[WarmEnvironment, bool]:
        """An environment for one call, and whether it was started for it."""
        with self._changed:
            self._admit(function)
        try:
            warm = self._idle_one(function)
            return (warm, False) if warm else (self._new(function, is_provisioned=False), True)
        except BaseException:
            self._leave(function)
            raise

    def give_back(self, warm: WarmEnvironment) -> None:
        """After a call: keep the environment warm, or end it."""
        self._keep(warm)
        self._leave(warm.function)

    def warm_up(self, function: Function) -> WarmEnvironment:
        """One more environment, started before anybody calls."""
        with self._changed:
            self._starting += 1
        warm = self._new(function, is_provisioned=True)
        self._keep(warm)
        return warm

    def count(self, key: str) -> int:
        """How many environments there are for a key."""
        with self._changed:
            return sum(warm.function.key == key for warm in self._running.values())

    def provision(self, wanted: Mapping[str, int]) -> None:
        """How many of each key stay, however long nobody calls them."""
        self._provisioned = wanted

    def sweep(self) -> None:
        """End the environments that were idle too long, or that have ended by themselves."""
        now = time.monotonic()
        with self._changed:
            unfit = []
            for key, idle in self._idle.items():
                for warm in list(idle):
                    is_spare = len(idle) > self._provisioned.get(key, 0)
                    is_old = is_spare and now - warm.environment.idle_since > self._idle_seconds
                    if is_old or not warm.is_fit:
                        idle.remove(warm)
                        unfit.append(warm)
        for warm in unfit:
            self._end(warm)

    def end(self) -> None:
        """End all; a call that is under way fails."""
        with self._changed:
            self._is_over = True
            idle = [warm for warms in self._idle.values() for warm in warms]
            self._idle.clear()
            for environment in self._loading:
                environment.kill()
            self._changed.notify_all()
        for warm in idle:
            self._end(warm)
        with self._changed:
            for warm in self._running.values():
                warm.environment.kill()

    def _admit(self, function: Function) -> None:
        if function.reserved is not None and self._busy[function.name] >= function.reserved:
            raise ThrottledError("ReservedFunctionConcurrentInvocationLimitExceeded")
        if self._busy.total() >= ACCOUNT_LIMIT:
            raise ThrottledError("ConcurrentInvocationLimitExceeded")
        self._busy[function.name] += 1

    def _leave(self, function: Function) -> None:
        with self._changed:
            self._busy[function.name] -= 1
            self._changed.notify_all()

    def _idle_one(self, function: Function) -> WarmEnvironment | None:
        """An idle environment; or None, and the right to start one."""
        with self._changed:
            while True:
                self._check_open()
                idle = self._idle[function.key]
                while idle:
                    warm = idle.pop()
                    if warm.is_fit:
                        return warm
                    self._end(warm)
                if self._starting < self._cores:
                    self._starting += 1
                    return None
                self._changed.wait(_LONGEST_WAIT)

    def _new(self, function: Function, *, is_provisioned: bool) -> WarmEnvironment:
        loading: list[ExecutionEnvironment] = []

        def begun(environment: ExecutionEnvironment) -> None:
            loading.append(environment)
            with self._changed:
                self._loading.add(environment)
                if self._is_over:
                    environment.kill()

        try:
            warm = self._start(function, is_provisioned, begun)
        except BaseException:
            for environment in loading:
                environment.end()
            raise
        finally:
            with self._changed:
                self._loading.difference_update(loading)
                self._starting -= 1
                self._changed.notify_all()
        with self._changed:
            self._running[id(warm)] = warm
            is_over = self._is_over
        if is_over:
            self._end(warm)
            self._check_open()
        return warm

    def _keep(self, warm: WarmEnvironment) -> None:
        with self._changed:
            if warm.is_fit and not warm.started.is_error and not self._is_over:
                warm.environment.idle_since = time.monotonic()
                self._idle[warm.function.key].append(warm)
                return
        self._end(warm)

    def _end(self, warm: WarmEnvironment) -> None:
        warm.environment.end()
        with self._changed:
            self._running.pop(id(warm), None)

    def _check_open(self) -> None:
        if self._is_over:
            raise ServiceError("ServiceException", "The local AWS is being stopped.", 500)
