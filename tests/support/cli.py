"""`pedigree` as a user has it: a process, with credentials and a server on this machine that stands for AWS."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PEDIGREE = [sys.executable, "-c", "import sys; sys.argv[0] = 'pedigree'; from pedigree.cli.main import main; main()"]


def environment(address: str, **more: str) -> dict[str, str]:
    """This process's environment with all of AWS at one address, and no other word about it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PEDIGREE"))}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "PEDIGREE_SETTINGS": str(ROOT / "settings.toml"),
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": "/nowhere",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
        "AWS_EC2_METADATA_DISABLED": "true",
        "TZ": "UTC",
        **more,
    }


def pedigree(address: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """One command, from its beginning to its end."""
    return subprocess.run(
        [*PEDIGREE, *arguments],
        cwd=ROOT,
        env=environment(address, **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
