"""The instances of a variant: a desired number, each replaced when it dies; requests go to the least busy."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeAlias

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.services.sagemaker.endpoints.answer_stream import StreamedReply
from pedigree.localaws.services.sagemaker.endpoints.instances import Instance, InstanceSpec, start_instance
from pedigree.localaws.services.sagemaker.endpoints.multi_model import MultiModelInstance
from pedigree.localaws.services.sagemaker.endpoints.server_process import InstanceDiedError, InstanceError
from pedigree.localaws.services.sagemaker.endpoints.server_reply import Reply

_LOG = logging.getLogger(__name__)
DRAIN_SECONDS = 60.0
_POLL_SECONDS = 0.02
_TRIES = 3
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 60.0
_FAILED = 500


AnyInstance: TypeAlias = Instance | MultiModelInstance
_ENDED = Reply(_FAILED, "text/plain", b"the model server ended while it was to answer", 0.0)


class FleetEndedError(InstanceError):
    """The fleet has been ended; another one may have taken its place."""


class Fleet:
    """Instances that all run the same model. A thread replaces those that die.

    Requests beyond the most at once are refused, as those to a serverless variant beyond its MaxConcurrency are.
    """

    def __init__(self, spec: InstanceSpec, most_at_once: int | None = None) -> None:
        self._spec = spec
        self._most_at_once = most_at_once
        self._model = spec.folder
        self._instances: list[AnyInstance] = []
        self._leaving: list[AnyInstance] = []
        self._wanted = 0
        self._requests = 0
        self._lock = threading.Condition()
        self._change = threading.Lock()
        self._lost = threading.Event()
        self._is_over = False
        self._watcher = threading.Thread(target=self._watch, name="fleet", daemon=True)

    def __len__(self) -> int:
        """The desired number of instances; for a moment there may be fewer."""
        return self._wanted

    @property
    def processes(self) -> list[int]:
        with self._lock:
            return [process for instance in self._instances for process in instance.processes]

    def resize(self, count: int) -> None:
        """Change the number of instances: new ones are ready when this returns, surplus ones end when they are idle."""
        with self._change:
            self._wanted = count
            try:
                self._fill()
            except InstanceError:
                with self._lock:
                    self._wanted = len(self._instances)
                raise
            while self._dismiss(count):
                continue
        if not self._watcher.is_alive() and not self._is_over:
            self._watcher.start()

    def invoke(self, body: bytes, headers: Mapping[str, str], target: str = "", seconds: float | None = None) -> Reply:
        """Invoke the least busy instance, or one container of it, or another instance if that has died.

        A request that ends several servers is answered as the model's own failure, before it ends them all.
        """
        for _ in range(_TRIES):
            instance = self._chosen()
            try:
                return instance.invoke(body, headers, target, seconds)
            except InstanceDiedError:
                self._lose(instance)
            finally:
                self._release(instance)
        return _ENDED

    def stream(self, body: bytes, headers: Mapping[str, str], target: str = "") -> StreamedReply:
        """As invoke; the instance is busy until all of the answer has come, or nobody wants more of it."""
        for _ in range(_TRIES):
            instance = self._chosen()
            try:
                reply = instance.stream(body, headers, target)
            except InstanceDiedError:
                self._lose(instance)
                self._release(instance)
            except BaseException:
                self._release(instance)
                raise
            else:
                reply.stream.when_over(partial(self._release, instance))
                return reply
        return StreamedReply.of(_ENDED)

    def end(self, patience: float = DRAIN_SECONDS) -> None:
        """Wait for requests that are being answered, at most so many seconds, then end all instances."""
        self._is_over = True
        self._lost.set()
        with self._lock:
            self._lock.notify_all()
        with self._change:
            while self._dismiss(0, patience):
                continue
        self._end_lost()

    def _fill(self) -> None:
        """Start the missing instances; raises the first error of those that do not start."""
        with self._lock:
            missing = self._wanted - len(self._instances)
        if missing <= 0:
            return
        with ThreadPoolExecutor(missing) as pool:
            started = [pool.submit(self._start) for _ in range(missing)]
        for start in started:
            start.result()

    def _start(self) -> None:
        instance = start_instance(self._spec, self._lost.set)
        try:
            instance.wait_until_ready(lambda: not self._is_over)
        except InstanceError:
            instance.end()
            raise
        with self._lock:
            self._instances.append(instance)
            self._lock.notify_all()

    def _dismiss(self, count: int, patience: float = DRAIN_SECONDS) -> bool:
        """End the least busy instance, if there are more than so many; whether there were."""
        with self._lock:
            if len(self._instances) <= count:
                return False
            instance = min(self._instances, key=lambda instance: instance.busy)
            self._instances.remove(instance)
            self._lock.wait_for(lambda: instance.busy == 0 or not instance.is_alive(), patience)
        instance.end()
        return True

    def _chosen(self) -> AnyInstance:
        """The least busy instance; of equal ones, that which had no request for longest."""
        with self._lock:
            is_there = self._lock.wait_for(lambda: self._instances or self._is_over, DRAIN_SECONDS)
            if not self._instances and self._is_over:
                raise FleetEndedError("the instances have been ended")
            if not is_there:
                raise InstanceError("there is no instance to invoke")
            if self._most_at_once and sum(instance.busy for instance in self._instances) >= self._most_at_once:
                raise ServiceError("ThrottlingException", "Rate exceeded")
            instance = min(self._instances, key=lambda instance: (instance.busy, instance.last_request))
            instance.busy += 1
            self._requests += 1
            instance.last_request = self._requests
            return instance

    def _release(self, instance: AnyInstance) -> None:
        """Note that an instance has answered a request."""
        with self._lock:
            instance.busy -= 1
            self._lock.notify_all()

    def _lose(self, instance: AnyInstance) -> None:
        """Send an instance no more requests; the watching thread ends what is left of it."""
        with self._lock:
            if instance in self._instances:
                self._instances.remove(instance)
                self._leaving.append(instance)
                self._lost.set()

    def _end_lost(self) -> None:
        with self._lock:
            lost, self._leaving = self._leaving, []
        for instance in lost:
            _LOG.warning("the instance of %s with the processes %s has ended", self._model, instance.processes)
            instance.end()

    def _watch(self) -> None:
        """Replace instances that have died: at once, and where that fails after increasing pauses."""
        pause = _FIRST_PAUSE_SECONDS
        while not self._is_over:
            self._lost.wait()
            self._lost.clear()
            try:
                self._replace_dead()
                pause = _FIRST_PAUSE_SECONDS
                continue
            except InstanceError as error:
                _LOG.warning("no model server in its place: %s", error)
            except Exception:  # noqa: BLE001  # a bug in here must not end the replacing
                _LOG.exception("no model server in its place")
            wait(pause, lambda: not self._is_over)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            self._lost.set()

    def _replace_dead(self) -> None:
        with self._lock:
            dead = [instance for instance in self._instances if not instance.is_alive()]
        for instance in dead:
            self._lose(instance)
        self._end_lost()
        with self._change:
            if not self._is_over:
                self._fill()


def wait(seconds: float, is_wanted: Callable[[], bool]) -> bool:
    """Wait for a time, or until it is no longer needed; returns whether all of it has passed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not is_wanted():
            return False
        time.sleep(min(_POLL_SECONDS, max(0.0, deadline - time.monotonic())))
    return True
