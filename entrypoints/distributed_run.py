"""How a process ends that trains with others: so that none of them waits for it, and the reason is told once.

By itself, a process ends as command.py has it. Among others it may not: they would wait in the middle of a step, and
Python's own way out can wait for them.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable

from torch import distributed

import command
from errors import ScriptError
from process_group import Ranks
from stop_signal import STOPPED_EXIT, StoppedError

BUG_EXIT = 1
log = logging.getLogger(__name__)


def work(ranks: Ranks, doing: Callable[[], None]) -> None:
    """Do the work of this process, and end as its outcome asks."""
    try:
        code = _outcome(ranks, doing)
    except (Exception, KeyboardInterrupt) as error:
        if not ranks.backend:
            raise
        ranks.abandon(_told(error, ranks))
    ranks.leave(code)
    sys.exit(code)


def _outcome(ranks: Ranks, doing: Callable[[], None]) -> int:
    try:
        doing()
    except StoppedError as stopped:
        if ranks.is_first:
            log.info("stopped: %s", stopped)
        ranks.wait()  # a launcher that sees one of them gone ends the rest, which may be writing
        return STOPPED_EXIT
    return 0


def _told(error: BaseException, ranks: Ranks) -> int:
    """Say what went wrong; the exit code for it."""
    if isinstance(error, KeyboardInterrupt):
        return command.INTERRUPTED_EXIT
    if _is_of_others(error):
        error = ranks.lost(str(error).partition(". ")[0])
    if isinstance(error, ScriptError):
        command.tell(error)
        return command.MISTAKE_EXIT
    traceback.print_exception(error)
    return BUG_EXIT


def _is_of_others(error: BaseException) -> bool:
    """Whether it is only that another process has gone, or does not answer: gloo has no class for that."""
    return isinstance(error, distributed.DistError) or "/gloo/transport/" in str(error)
