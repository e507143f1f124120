"""Runs a script's main function: sets up logging, the exit code, and the reason that SageMaker shows for a failed job.

A user's error is one line on standard error and exit code 2; any other error keeps its traceback. Inside a container,
the line also goes to the file that SageMaker reads the reason of a failure from.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

from errors import ScriptError

USER_ERROR_EXIT = 2
INTERRUPTED_EXIT = 130
# SageMaker reads the first file after a training job, and the second after a processing job.
_REASON_FILES = ("output/failure", "output/message")
_MAX_REASON = 1000
# AWS's toolkit reads this variable if its folders are not at the default path.
_BASE_VARIABLE = "SAGEMAKER_BASE_DIR"
_DEFAULT_BASE = "/opt/ml"


def run(main: Callable[[], None]) -> None:
    """Runs a script's main function and exits with the code for its outcome."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    try:
        main()
    except ScriptError as error:
        report_error(error)
        sys.exit(USER_ERROR_EXIT)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED_EXIT)


def report_error(error: ScriptError) -> None:
    """Writes an error as one line to standard error, and for SageMaker to read."""
    line = " ".join(str(error).split())
    sys.stderr.write(f"{Path(sys.argv[0]).name}: {line}\n")
    _write_failure_reason(line)


def _write_failure_reason(line: str) -> None:
    base = Path(os.environ.get(_BASE_VARIABLE, _DEFAULT_BASE))
    for path in (base / name for name in _REASON_FILES):
        if path.parent.is_dir():
            path.write_text(line[:_MAX_REASON], encoding="utf-8")
