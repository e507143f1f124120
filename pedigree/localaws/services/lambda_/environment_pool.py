"""The execution environments of all functions: reused while warm, several at once for concurrent invocations.

An invocation takes an idle environment, or waits until one becomes idle or a core is free to start another one. So a
burst of short invocations needs few processes, and long invocations get one each.
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

ACCOUNT_CONCURRENCY = 64
_MAX_AGE_SECONDS = 2400.0  # less than the lifetime of the credentials that the process got at its start
_MAX_WAIT_SECONDS = 1.0
_MAX_WAIT_FOR_BUSY_SECONDS = 0.2


@dataclass(frozen=True)
class WarmEnvironment:
    """A started environment of a function, with its log stream and the outcome of its start."""

    environment: ExecutionEnvironment
    function: Function
    stream: str
    init_result: HandlerResult
    init_seconds: float

    @property
    def is_usable(self) -> bool:
        """Return whether it can take another invocation."""
        age = time.monotonic() - self.environment.started_at
        return self.environment.is_alive and age < _MAX_AGE_SECONDS


OnProcessStart: TypeAlias = Callable[[ExecutionEnvironment], None]
"""Gets an environment as soon as its process runs, so that it can be killed while it still loads."""
StartEnvironment: TypeAlias = Callable[[Function, bool, OnProcessStart], WarmEnvironment]
"""Starts an environment for a function; the flag says whether it is provisioned, which the function can see."""


class ThrottledError(ServiceError):
    """The concurrency of a function or of the account is used up."""

    def __init__(self, reason: str) -> None:
        super().__init__("TooManyRequestsException", "Rate Exceeded.", 429)
        self.details = {"Reason": reason, "retryAfterSeconds": "1"}
        self.headers = {"Retry-After": "1"}


class EnvironmentPool:
    """Hands out environments, one invocation at a time each, and removes those that are idle or unusable."""

    def __init__(self, start: StartEnvironment, cores: int, idle_seconds: float) -> None:
        self._start = start
        self._cores = cores
        self._idle_seconds = idle_seconds
        self._lock = threading.RLock()
        self._waiting: defaultdict[str, threading.Condition] = defaultdict(lambda: threading.Condition(self._lock))
        self._idle: defaultdict[str, list[WarmEnvironment]] = defaultdict(list)
        self._loading: set[ExecutionEnvironment] = set()
        self._running: dict[int, WarmEnvironment] = {}
        self._concurrency: Counter[str] = Counter()
        self._starting = 0
        self._provisioned: Mapping[str, int] = {}
        self._is_stopped = False

    @property
    def is_stopped(self) -> bool:
        return self._is_stopped

    def acquire(self, function: Function) -> tuple[WarmEnvironment, bool]:
        """Return an environment for one invocation, and whether it was started for it."""
        with self._lock:
            self._reserve_concurrency(function)
        try:
            warm = self._take_idle(function)
            return (warm, False) if warm else (self._start_new(function, is_provisioned=False), True)
        except BaseException:
            self._free_concurrency(function)
            raise

    def release(self, warm: WarmEnvironment) -> None:
        """Keep the environment for another invocation, or end it if it is not usable."""
        self._keep_idle(warm)
        self._free_concurrency(warm.function)

    def prewarm(self, function: Function) -> WarmEnvironment:
        """Start one more environment before an invocation needs it."""
        with self._lock:
            self._starting += 1
        warm = self._start_new(function, is_provisioned=True)
        self._keep_idle(warm)
        return warm

    def count(self, key: str) -> int:
        """Return how many environments run for a function's key."""
        with self._lock:
            return sum(warm.function.key == key for warm in self._running.values())

    def set_provisioned(self, counts: Mapping[str, int]) -> None:
        """Set how many environments of each key stay, however long they are idle."""
        self._provisioned = counts

    def remove_idle(self) -> None:
        """End the environments that were idle for too long or are no longer usable."""
        now = time.monotonic()
        with self._lock:
            removed = []
            for key, idle in self._idle.items():
                for warm in list(idle):
                    is_spare = len(idle) > self._provisioned.get(key, 0)
                    is_expired = is_spare and now - warm.environment.idle_since > self._idle_seconds
                    if is_expired or not warm.is_usable:
                        idle.remove(warm)
                        removed.append(warm)
        for warm in removed:
            self._close(warm)

    def stop(self) -> None:
        """End all environments; pending invocations fail."""
        with self._lock:
            self._is_stopped = True
            idle = [warm for environments in self._idle.values() for warm in environments]
            self._idle.clear()
            for environment in self._loading:
                environment.kill()
            self._notify_all()
        for warm in idle:
            self._close(warm)
        with self._lock:
            for warm in self._running.values():
                warm.environment.kill()

    def _reserve_concurrency(self, function: Function) -> None:
        reserved = function.reserved_concurrency
        if reserved is not None and self._concurrency[function.name] >= reserved:
            raise ThrottledError("ReservedFunctionConcurrentInvocationLimitExceeded")
        if self._concurrency.total() >= ACCOUNT_CONCURRENCY:
            raise ThrottledError("ConcurrentInvocationLimitExceeded")
        self._concurrency[function.name] += 1

    def _free_concurrency(self, function: Function) -> None:
        with self._lock:
            self._concurrency[function.name] -= 1
            self._waiting[function.key].notify()

    def _take_idle(self, function: Function) -> WarmEnvironment | None:
        """Return an idle environment, or None as the permission to start one."""
        with self._lock:
            patience = time.monotonic() + self._wait_for_busy(function)
            while True:
                self._check_running()
                idle = self._idle[function.key]
                while idle:
                    warm = idle.pop()
                    if warm.is_usable:
                        return warm
                    self._close(warm)
                left = patience - time.monotonic()
                if self._starting < self._cores and left <= 0:
                    self._starting += 1
                    return None
                self._waiting[function.key].wait(min(left, _MAX_WAIT_SECONDS) if left > 0 else _MAX_WAIT_SECONDS)

    def _wait_for_busy(self, function: Function) -> float:
        """How long an invocation waits for a busy environment before another one is worth its start."""
        starts = [warm.init_seconds for warm in self._running.values() if warm.function.key == function.key]
        return min([*starts, _MAX_WAIT_FOR_BUSY_SECONDS]) if starts else 0.0

    def _notify_all(self) -> None:
        for waiting in self._waiting.values():
            waiting.notify_all()

    def _start_new(self, function: Function, *, is_provisioned: bool) -> WarmEnvironment:
        loading: list[ExecutionEnvironment] = []

        def on_process_start(environment: ExecutionEnvironment) -> None:
            loading.append(environment)
            with self._lock:
                self._loading.add(environment)
                if self._is_stopped:
                    environment.kill()

        try:
            warm = self._start(function, is_provisioned, on_process_start)
        except BaseException:
            for environment in loading:
                environment.close()
            raise
        finally:
            with self._lock:
                self._loading.difference_update(loading)
                self._starting -= 1
                self._notify_all()
        with self._lock:
            self._running[id(warm)] = warm
            is_stopped = self._is_stopped
        if is_stopped:
            self._close(warm)
            self._check_running()
        return warm

    def _keep_idle(self, warm: WarmEnvironment) -> None:
        with self._lock:
            if warm.is_usable and not warm.init_result.is_error and not self._is_stopped:
                warm.environment.idle_since = time.monotonic()
                self._idle[warm.function.key].append(warm)
                return
        self._close(warm)

    def _close(self, warm: WarmEnvironment) -> None:
        warm.environment.close()
        with self._lock:
            self._running.pop(id(warm), None)

    def _check_running(self) -> None:
        if self._is_stopped:
            raise ServiceError("ServiceException", "The local AWS is being stopped.", 500)
