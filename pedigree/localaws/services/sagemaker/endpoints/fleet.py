"""The instances of a variant: as many as are wanted, each replaced when it dies, the least busy asked first."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from pedigree.localaws.services.sagemaker.endpoints.instances import (
    GoneError,
    Instance,
    InstanceError,
    InstanceSpec,
    Reply,
)

_LOG = logging.getLogger(__name__)
DRAIN_SECONDS = 60.0
_LOOK_SECONDS = 0.02
_TRIES = 3
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 60.0
_FAILED = 500


class OverError(InstanceError):
    """A fleet that has been ended: whoever has another one asks that."""


class Fleet:
    """Instances that all run the same. A thread watches over them from the first on."""

    def __init__(self, spec: InstanceSpec) -> None:
        self._spec = spec
        self._instances: list[Instance] = []
        self._leaving: list[Instance] = []
        self._wanted = 0
        self._asked = 0
        self._lock = threading.Condition()
        self._change = threading.Lock()
        self._lost = threading.Event()
        self._is_over = False
        self._watcher = threading.Thread(target=self._watch, name="fleet", daemon=True)

    def __len__(self) -> int:
        """How many instances are wanted; for a moment there may be fewer."""
        return self._wanted

    @property
    def processes(self) -> list[int]:
        """The processes of the instances."""
        with self._lock:
            return [instance.process for instance in self._instances]

    def resize(self, count: int) -> None:
        """Have so many instances: new ones come before this returns, superfluous ones leave when they are idle."""
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

    def invoke(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Ask the least busy instance, and another one if that has gone.

        What ends every server that it is sent to is answered as the model's own failure, before it has ended them all.
        """
        for _ in range(_TRIES):
            instance = self._picked()
            try:
                return instance.invoke(body, headers)
            except GoneError:
                self._lose(instance)
            finally:
                with self._lock:
                    instance.busy -= 1
                    self._lock.notify_all()
        return Reply(_FAILED, "text/plain", b"the model server ended while it was to answer", 0.0)

    def end(self, patience: float = DRAIN_SECONDS) -> None:
        """Let what is under way be answered, for so many seconds at most, then end every instance."""
        self._is_over = True
        self._lost.set()
        with self._lock:
            self._lock.notify_all()
        with self._change:
            while self._dismiss(0, patience):
                continue
        self._end_lost()

    def _fill(self) -> None:
        """Have as many instances as are wanted; the first error of those that do not come up."""
        with self._lock:
            missing = self._wanted - len(self._instances)
        if missing <= 0:
            return
        with ThreadPoolExecutor(missing) as pool:
            coming = [pool.submit(self._start) for _ in range(missing)]
        for one in coming:
            one.result()

    def _start(self) -> None:
        instance = Instance(self._spec, self._lost.set)
        try:
            instance.wait_until_ready(lambda: not self._is_over)
        except InstanceError:
            instance.end()
            raise
        with self._lock:
            self._instances.append(instance)
            self._lock.notify_all()

    def _dismiss(self, count: int, patience: float = DRAIN_SECONDS) -> bool:
        """Let the least busy instance go, if there are more than so many; whether there were."""
        with self._lock:
            if len(self._instances) <= count:
                return False
            instance = min(self._instances, key=lambda one: one.busy)
            self._instances.remove(instance)
            self._lock.wait_for(lambda: instance.busy == 0 or not instance.is_alive(), patience)
        instance.end()
        return True

    def _picked(self) -> Instance:
        """The least busy instance, of equals the one that was asked longest ago."""
        with self._lock:
            is_there = self._lock.wait_for(lambda: self._instances or self._is_over, DRAIN_SECONDS)
            if not self._instances and self._is_over:
                raise OverError("the instances have been ended")
            if not is_there:
                raise InstanceError("there is no instance to ask")
            instance = min(self._instances, key=lambda one: (one.busy, one.asked))
            instance.busy += 1
            self._asked += 1
            instance.asked = self._asked
            return instance

    def _lose(self, instance: Instance) -> None:
        """Ask an instance no more; what is left of it is ended by whoever watches, not by who has found it dead."""
        with self._lock:
            if instance in self._instances:
                self._instances.remove(instance)
                self._leaving.append(instance)
                self._lost.set()

    def _end_lost(self) -> None:
        with self._lock:
            lost, self._leaving = self._leaving, []
        for instance in lost:
            _LOG.warning("the model server %d of %s has ended", instance.process, self._spec.model)
            instance.end()

    def _watch(self) -> None:
        """Replace instances that have died, at once and, where that fails, after longer and longer pauses."""
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
            except Exception:  # noqa: BLE001  # a bug in here must not leave the dead for ever
                _LOG.exception("no model server in its place")
            wait(pause, lambda: not self._is_over)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            self._lost.set()

    def _replace_dead(self) -> None:
        with self._lock:
            dead = [one for one in self._instances if not one.is_alive()]
        for instance in dead:
            self._lose(instance)
        self._end_lost()
        with self._change:
            if not self._is_over:
                self._fill()


def wait(seconds: float, is_wanted: Callable[[], bool]) -> bool:
    """Wait so long, or until nobody wants it any more; whether it was all of the time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not is_wanted():
            return False
        time.sleep(min(_LOOK_SECONDS, max(0.0, deadline - time.monotonic())))
    return True
