"""What goes wrong in the background, where nobody waits for an answer: outlived, and told without filling the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable

_LOG = logging.getLogger(__name__)


_PAUSE_SECONDS = 1.0


def insist(work: Callable[[], None], is_over: Callable[[float], bool], what: str) -> None:
    """Do what nothing else would ever do, however long it fails; is_over waits so long, or until nobody wants it."""
    troubles = Troubles(what)
    while not troubles.outlive(work) and not is_over(_PAUSE_SECONDS):
        continue


class Troubles:
    """What goes wrong again and again: told once, and once more when it is over."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._told: set[Hashable] = set()

    def outlive(self, work: Callable[[], None], about: Hashable = None) -> bool:
        """Do something that may fail; whether it did not. Each thing that it is about is told by itself."""
        try:
            work()
        except Exception:  # noqa: BLE001  # a full disk, or a bug: whoever does this goes on, and tries again
            if about not in self._told:
                _LOG.exception("%s: this cannot be kept, and waits", self._what)
            self._told.add(about)
            return False
        if about in self._told:
            _LOG.info("%s: this is kept again", self._what)
        self._told.discard(about)
        return True
