"""What is to be brought to somebody, sooner or later: kept until it has arrived, or nobody will try any more.

Events on their way to a target, schedules that have fired and calls that nobody waits for are documents of one kind.
Each is tried as soon as it is due, again after a while that doubles, and is given up when it was tried often enough or
has become too old. A daemon that is killed tries again when it is back: at least once, as AWS promises, not only once.
AWS waits minutes between tries; on a machine that somebody sits before, the first comes after a second.
"""

from __future__ import annotations

import heapq
import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from pedigree.localaws.kernel.store import Document, DocumentNotFoundError, Store
from pedigree.localaws.kernel.world import Clock

_LOG = logging.getLogger(__name__)
KIND = "delivery"
_AT_ONCE = 16
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 60.0
_AFTER_A_FAILURE = 1.0
TRIED_OUT = "MaximumRetryAttempts"
TOO_OLD = "MaximumEventAgeInSeconds"
DAY = 86400.0
MAX_RETRIES = 185


class DeliveryFailedError(Exception):
    """Whoever it was for did not take it; is_final: and will not when asked again."""

    def __init__(self, code: str, message: str, *, is_final: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.is_final = is_final


class DeliveryPostponedError(Exception):
    """There is no room for it at the moment; that is no try."""


@dataclass(frozen=True)
class RetriesExhausted:
    """Why a delivery is given up, and after how many tries."""

    code: str
    message: str
    condition: str
    tries: int


class DeliveryChannel(Protocol):
    """A way in which deliveries are brought."""

    def bring(self, name: str, delivery: Document) -> None:
        """Bring it; DeliveryFailedError or DeliveryPostponedError if that did not work."""
        ...

    def give_up(self, _name: str, delivery: Document, refusal: RetriesExhausted) -> None:
        """Tell whoever wants to know that it will not arrive."""
        ...


def new_delivery(way: str, now: float, *, most: int = MAX_RETRIES, seconds: float = DAY, **rest: Any) -> dict[str, Any]:
    """A delivery that is due at once, is tried again so often at most, and for so long."""
    return {"way": way, "due": now, "until": now + seconds, "most": most, "tries": 0, "waits": 0, **rest}


class DeliveryQueue:
    """Brings what is due: on each way so many at once, so that none of them is held up on another's."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ways: Callable[[], Mapping[str, DeliveryChannel]],
        at_once: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._store = store
        self._clock = clock
        self._ways = ways
        self._at_once = at_once
        self._due: list[tuple[float, str, str]] = []
        self._expected: set[str] = set()
        self._changed = threading.Condition()
        self._is_over = False
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._thread = threading.Thread(target=self._work, name="deliveries", daemon=True)

    def begin(self) -> None:
        """Take up what is left, and go on with what comes."""
        for entry in self._store.entries(KIND):
            self._expect(entry.name, entry.body)
        self._thread.start()

    def end(self) -> None:
        """Stop; what has not arrived is tried again by the next daemon."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def add(self, delivery: Document, name: str = "") -> str:
        """Keep a delivery, and bring it when it is due."""
        name = name or str(uuid.uuid4())
        self._store.put(KIND, name, delivery)
        self._expect(name, delivery)
        return name

    def now(self) -> float:
        """The present moment, as deliveries have it."""
        return self._clock.now().timestamp()

    def _expect(self, name: str, delivery: Document) -> None:
        """Bring it when it is due; once, though what comes before this begins to work is found in the store, too."""
        with self._changed:
            if name not in self._expected:
                self._expected.add(name)
                heapq.heappush(self._due, (delivery["due"], name, delivery["way"]))
                self._changed.notify_all()

    def _work(self) -> None:
        with self._changed:
            while not self._is_over:
                wait = self._due[0][0] - self.now() if self._due else None
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                else:
                    _, name, way = heapq.heappop(self._due)
                    self._expected.discard(name)
                    self._pool(way).submit(self._carry, name, way)

    def _pool(self, way: str) -> ThreadPoolExecutor:
        if way not in self._pools:
            self._pools[way] = ThreadPoolExecutor(self._at_once.get(way, _AT_ONCE), thread_name_prefix=f"{way} ")
        return self._pools[way]

    def _carry(self, name: str, way: str) -> None:
        """Bring one; if what came of it cannot be kept, on a full disk say, it is brought again in a while."""
        try:
            self._bring(name)
        except Exception:  # noqa: BLE001  # nothing else would ever look at it again before the next start
            if not self._is_over:
                _LOG.exception("what came of delivery %s cannot be kept", name)
                self._expect(name, {"due": self.now() + _AFTER_A_FAILURE, "way": way})

    def _bring(self, name: str) -> None:
        delivery = self._store.find(KIND, name)
        if delivery is None:
            return
        way = self._ways()[delivery["way"]]
        try:
            way.bring(name, delivery)
            self._forget(name)
        except DeliveryPostponedError:
            self._later(name, delivery, tries=delivery["tries"])
        except DeliveryFailedError as error:
            self._tried(name, delivery, way, error)
        except Exception as error:  # noqa: BLE001  # a bug in here holds up one delivery, and the log has all of it
            if not self._is_over:
                _LOG.exception("delivery %s", name)
                self._tried(name, delivery, way, DeliveryFailedError("InternalFailure", str(error)))

    def _tried(self, name: str, delivery: Document, way: DeliveryChannel, error: DeliveryFailedError) -> None:
        if self._is_over:
            return
        tries = delivery["tries"] + 1
        is_old = self.now() + _wait(delivery) > delivery["until"]
        if not error.is_final and tries <= delivery["most"] and not is_old:
            self._later(name, delivery, tries=tries)
            return
        condition = TOO_OLD if is_old and tries <= delivery["most"] else TRIED_OUT
        try:
            way.give_up(name, delivery, RetriesExhausted(error.code, error.message, condition, tries - 1))
        except Exception:  # noqa: BLE001  # nobody is left to tell but the log
            _LOG.exception("delivery %s was given up, and nobody could be told", name)
        self._forget(name)

    def _later(self, name: str, delivery: Document, tries: int) -> None:
        waits = delivery["waits"] + 1
        later = {**delivery, "tries": tries, "waits": waits, "due": self.now() + _wait(delivery)}
        self._store.put(KIND, name, later)
        self._expect(name, later)

    def _forget(self, name: str) -> None:
        try:
            self._store.remove(KIND, name)
        except DocumentNotFoundError:
            _LOG.debug("delivery %s was forgotten already", name)


def _wait(delivery: Document) -> float:
    return float(min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(delivery["waits"], 10)))
