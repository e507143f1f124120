"""OnceLogger: one message for each key, with the traceback on request."""

from __future__ import annotations

import logging

import pytest

from pedigree.localaws.kernel.once_logger import OnceLogger

LOG = logging.getLogger(__name__)


def test_each_key_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    once = OnceLogger(LOG)
    for alarm in ("a", "b", "a"):
        once.warning(alarm, "alarm %s cannot be evaluated", alarm)
    assert caplog.messages == ["alarm a cannot be evaluated", "alarm b cannot be evaluated"]


def test_an_exception_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    once = OnceLogger(LOG)
    for _ in range(2):
        try:
            raise ArithmeticError("a bug")
        except ArithmeticError:
            once.exception("event", "event cannot be dispatched")
    assert caplog.messages == ["event cannot be dispatched"]
    assert "ArithmeticError: a bug" in caplog.text
