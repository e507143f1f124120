"""Waiting is shown: in place on a terminal, now and then in a log."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from pedigree.account.plan import Change
from pedigree.cli.progress import Progress, progress


def test_in_a_log_waiting_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Progress(Console(file=io.StringIO()))
    for what, seconds in (("a", 0), ("a", 5), ("a", 31), ("a", 40), ("b", 2)):
        shown.waiting(what, seconds)
    assert capsys.readouterr().err.splitlines() == [
        "    waiting for a (0 s)",
        "    waiting for a (31 s)",
        "    waiting for b (2 s)",
    ]


def test_on_a_terminal_it_stays_in_place_and_goes_when_a_change_begins(capsys: pytest.CaptureFixture[str]) -> None:
    screen = io.StringIO()
    shown = Progress(Console(file=screen, force_terminal=True, width=80))
    shown.reading()
    shown.still()
    shown.waiting("a queue", 3)
    shown.change(Change("create", "queue", "q\x1b[31m", ()))
    assert "reading the account" in screen.getvalue()
    assert "waiting for a queue (3 s)" in screen.getvalue()
    out, err = capsys.readouterr()
    assert (out, err) == ("  + queue q\\x1b[31m\n", "")


def test_an_interruption_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), progress():
        raise KeyboardInterrupt
    assert capsys.readouterr().err == "\ninterrupted; run it again to go on from here\n"
