"""A job waits until its image is there; one that is stopped waits no longer, and the image is made all the same."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

T = TypeVar("T")
_POLL_SECONDS = 0.2


class StoppedWhileWaitingError(Exception):
    """The job was stopped before its image was there."""


def wait_for_image(get_ready: Callable[[], T], is_stopping: Callable[[], bool]) -> T:
    """What get_ready returns, or raises; StoppedWhileWaitingError once the job is to stop."""
    ready: Future[T] = Future()

    def run() -> None:
        try:
            ready.set_result(get_ready())
        except BaseException as error:  # noqa: BLE001  # the waiting job raises it
            ready.set_exception(error)

    threading.Thread(target=run, name="image of a job", daemon=True).start()
    while not wait((ready,), timeout=_POLL_SECONDS).done:
        if is_stopping():
            raise StoppedWhileWaitingError
    return ready.result()
