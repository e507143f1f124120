"""`python -m tests.crashing 100 [seed]`: kill so often, say what came of it, exit 1 if anything was wrong."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.crashing.soak import Soak


def main() -> int:
    """The soak, with a line for each kill."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    begun = time.monotonic()

    def tell(line: str) -> None:
        sys.stdout.write(f"{time.monotonic() - begun:6.1f} {line}\n")
        sys.stdout.flush()

    folder = Path(tempfile.mkdtemp(prefix="crashing-"))
    soak = Soak(folder, seed, tell)
    try:
        account = soak.run(kills)
    finally:
        soak.close()
    for name, figure in {"kills": account.kills, **account.figures, "problems": len(account.problems)}.items():
        tell(f"{name}: {figure}")
    tell(f"its folder: {folder}")
    return 1 if account.problems else 0


if __name__ == "__main__":
    sys.exit(main())
