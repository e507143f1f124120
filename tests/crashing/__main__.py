"""`python -m tests.crashing 100 [seed]`: kill the daemon so often, print the result, exit 1 on any problem."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.crashing.crash_run import CrashRun


def main() -> int:
    """Run, and print a line for each kill."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    begun = time.monotonic()

    def tell(line: str) -> None:
        sys.stdout.write(f"{time.monotonic() - begun:6.1f} {line}\n")
        sys.stdout.flush()

    folder = Path(tempfile.mkdtemp(prefix="crashing-"))
    run = CrashRun(folder, seed, tell)
    try:
        report = run.run(kills)
    finally:
        run.close()
    for name, figure in {"kills": report.kills, **report.figures, "problems": len(report.problems)}.items():
        tell(f"{name}: {figure}")
    tell(f"its folder: {folder}")
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
