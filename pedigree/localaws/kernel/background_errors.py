"""Background work that may fail while no client waits for it: it is retried, and the log is not flooded."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable

_LOG = logging.getLogger(__name__)
_RETRY_SECONDS = 1.0


def retry_until_done(work: Callable[[], None], is_over: Callable[[float], bool], name: str) -> None:
    """Retry work until it succeeds; is_over waits for the given seconds and says whether to stop trying."""
    errors = BackgroundErrors(name)
    while not errors.survive(work) and not is_over(_RETRY_SECONDS):
        continue


class BackgroundErrors:
    """Logs a repeated failure once, and once more when the work succeeds again."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._failing: set[Hashable] = set()

    def survive(self, work: Callable[[], None], key: Hashable = None) -> bool:
        """Do work that may fail, and return whether it succeeded; each key is logged on its own."""
        try:
            work()
        except Exception:  # noqa: BLE001  # a full disk or a bug: the caller goes on and tries again later
            if key not in self._failing:
                _LOG.exception("%s: cannot be saved; waiting to try again", self._name)
            self._failing.add(key)
            return False
        if key in self._failing:
            _LOG.info("%s: saved again", self._name)
        self._failing.discard(key)
        return True
