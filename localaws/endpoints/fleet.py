"""The instances of a variant: as many as are wanted, each replaced when it dies, the least busy asked first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from localaws.endpoints.instances import Instance, InstanceError, Recipe, Reply

_DRAIN_SECONDS = 60.0
_LOOK_SECONDS = 0.02
_TRIES = 4


class Fleet:
    """Instances that all run the same."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._instances: list[Instance] = []
        self._lock = threading.Condition()
        self._is_over = False

    def __len__(self) -> int:
        with self._lock:
            return len(self._instances)

    @property
    def processes(self) -> list[int]:
        """The processes of the instances."""
        with self._lock:
            return [instance.process for instance in self._instances]

    def resize(self, count: int) -> None:
        """Have so many instances: new ones come before this returns, superfluous ones leave when they are idle."""
        missing = count - len(self)
        if missing > 0:
            with ThreadPoolExecutor(missing) as pool:
                for instance in pool.map(lambda _: self._started(), range(missing)):
                    self._admit(instance)
        for _ in range(-missing):
            self._dismiss()

    def invoke(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Ask the least busy instance, and another one if that has gone."""
        for _ in range(_TRIES):
            instance = self._picked()
            try:
                return instance.invoke(body, headers)
            except InstanceError as error:
                failure = error
            finally:
                with self._lock:
                    instance.busy -= 1
                    self._lock.notify_all()
            self.heal()
        raise failure

    def heal(self) -> None:
        """Replace the instances that have died."""
        with self._lock:
            dead = [one for one in self._instances if not one.is_alive()]
            self._instances = [one for one in self._instances if one not in dead]
        for instance in dead:
            instance.end()
            if not self._is_over:
                self._admit(self._started())

    def end(self) -> None:
        """Let what is under way be answered, then end every instance."""
        self._is_over = True
        while len(self):
            self._dismiss()

    def _started(self) -> Instance:
        instance = Instance(self._recipe)
        try:
            instance.wait_until_ready(lambda: not self._is_over)
        except InstanceError:
            instance.end()
            raise
        return instance

    def _admit(self, instance: Instance) -> None:
        with self._lock:
            self._instances.append(instance)
            self._lock.notify_all()

    def _dismiss(self) -> None:
        with self._lock:
            if not self._instances:
                return
            instance = min(self._instances, key=lambda one: one.busy)
            self._instances.remove(instance)
            self._lock.wait_for(lambda: instance.busy == 0, _DRAIN_SECONDS)
        instance.end()

    def _picked(self) -> Instance:
        with self._lock:
            if not self._lock.wait_for(lambda: self._instances or self._is_over, _DRAIN_SECONDS) or not self._instances:
                raise InstanceError("there is no instance to ask")
            instance = min(self._instances, key=lambda one: one.busy)
            instance.busy += 1
            return instance


def wait(seconds: float, is_wanted: Callable[[], bool]) -> bool:
    """Wait so long, or until nobody wants it any more; whether it was all of the time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not is_wanted():
            return False
        time.sleep(min(_LOOK_SECONDS, max(0.0, deadline - time.monotonic())))
    return True
