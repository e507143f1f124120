"""Runs `pedigree` as a user does: in a process, with credentials, and with a server that stands for AWS."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
INSTALLED = Path(sys.executable).with_name("pedigree")
PEDIGREE = [sys.executable, "-c", "import sys; sys.argv[0] = 'pedigree'; from pedigree.cli.main import main; main()"]

# make exports what it was given, so that a make within a make would take it for its own.
OF_MAKE_COMMANDS = ("ARGS", "DATA", "IMAGE", "LOCAL", "PARAMS", "URL", "VERSION")


def environment(**more: str) -> dict[str, str]:
    """This process's environment with the default settings, without what it says about AWS, pedigree or make."""
    prefixes = ("AWS_", "PEDIGREE", "MAKE", "MFLAGS")
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(prefixes) and name not in OF_MAKE_COMMANDS
    }
    return {**inherited, "PEDIGREE_SETTINGS": str(ROOT / "docs" / "settings.toml"), **more}


def aws_environment(address: str, **more: str) -> dict[str, str]:
    """An environment in which all of AWS is at one address, and the settings are this project's own."""
    return environment(
        **{
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
    )


def pedigree(address: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*PEDIGREE, *arguments],
        cwd=ROOT,
        env=aws_environment(address, **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
