"""How a script begins and ends: its log, its exit code, and what SageMaker shows when it fails.

A mistake that a user can mend is one line on standard error and exit code 2; anything else keeps its traceback. Where
there is a container around the script, the line also becomes the reason that the console shows for the failed job.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

from errors import ScriptError

MISTAKE_EXIT = 2
INTERRUPTED_EXIT = 130
# A training job tells its failure in the one file, a processing job in the other.
_REASONS = ("output/failure", "output/message")
_LONGEST_REASON = 1000
# What AWS's own toolkit goes by, where its folders are not at the usual place.
_BASE = "SAGEMAKER_BASE_DIR"
_USUAL_BASE = "/opt/ml"


def run(main: Callable[[], None]) -> None:
    """Run a script's main function and end the process as its outcome asks."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    try:
        main()
    except ScriptError as mistake:
        tell(mistake)
        sys.exit(MISTAKE_EXIT)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED_EXIT)


def tell(mistake: ScriptError) -> None:
    """Tell a mistake in one line, to whoever reads the log and to SageMaker."""
    line = " ".join(str(mistake).split())
    sys.stderr.write(f"{Path(sys.argv[0]).name}: {line}\n")
    _tell_sagemaker(line)


def _tell_sagemaker(line: str) -> None:
    base = Path(os.environ.get(_BASE, _USUAL_BASE))
    for path in (base / name for name in _REASONS):
        if path.parent.is_dir():
            path.write_text(line[:_LONGEST_REASON], encoding="utf-8")
