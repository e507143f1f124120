"""Ends a process that trains with others, so that no other process waits for it and the reason is reported once.

A single process ends as command.py does it. In a group that is not safe: the others would wait in the middle of a step,
and Python's normal exit can wait for them.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable

import command
from errors import ScriptError
from process_group import ProcessGroup, is_lost_peer
from stop_signal import SIGTERM_EXIT, StoppedError

BUG_EXIT = 1
log = logging.getLogger(__name__)


def run_on_all_ranks(group: ProcessGroup, function: Callable[[], None]) -> None:
    """Runs this process's part of the work, and exits with the code for its outcome."""
    try:
        code = _run(group, function)
    except (Exception, KeyboardInterrupt) as error:
        if not group.backend:
            raise
        group.exit_now(_report(error, group))
    group.shut_down(code)
    sys.exit(code)


def _run(group: ProcessGroup, function: Callable[[], None]) -> int:
    try:
        function()
    except StoppedError as error:
        if group.is_main:
            log.info("stopped: %s", error)
        group.barrier()  # a launcher ends all processes when one exits, and others may still write
        return SIGTERM_EXIT
    return 0


def _report(error: BaseException, group: ProcessGroup) -> int:
    """Reports an error, and returns the exit code for it."""
    if isinstance(error, KeyboardInterrupt):
        return command.INTERRUPTED_EXIT
    if is_lost_peer(error):
        error = group.lost_error(str(error).partition(". ")[0])
    if isinstance(error, ScriptError):
        command.report_error(error)
        return command.USER_ERROR_EXIT
    traceback.print_exception(error)
    return BUG_EXIT
