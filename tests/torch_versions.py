"""What the scripts ask of torch, held against the types of the oldest torch that they promise to run on, and between.

    .venv/bin/python -m tests.torch_versions

Only one torch is installed. The others are downloaded for a Mac, where they come without CUDA (64 to 111 MB), and not
installed: mypy reads their sources. What it says of the newest torch too is about types that are written too narrowly;
what it says of an older one alone is a name, or an argument, that is not there yet.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

# torch and the torchvision that was made for it; the last is the one in constraints-container.txt.
VERSIONS = (("2.5.1", "0.20.1"), ("2.9.0", "0.24.0"), ("2.13.0", "0.28.0"))
PYTHON = "3.10"
_SYSTEMS = ("macosx_11_0_arm64", "macosx_12_0_arm64", "macosx_14_0_arm64")
_TYPED = (".py", ".pyi", "/py.typed")
_SETTINGS = "tests/container/mypy.ini"
_PATIENCE = 900


def fetch(torch: str, torchvision: str, folder: Path) -> None:
    """The Python sources of both, into a folder."""
    systems = [word for system in _SYSTEMS for word in ("--platform", system)]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", *systems]
    wanted = [f"torch=={torch}", f"torchvision=={torchvision}"]
    with tempfile.TemporaryDirectory() as wheels:
        subprocess.run([*command, "--python-version", PYTHON, "--dest", wheels, *wanted], check=True, timeout=_PATIENCE)
        for wheel in Path(wheels).glob("*.whl"):
            with zipfile.ZipFile(wheel) as packed:
                packed.extractall(folder, [name for name in packed.namelist() if name.endswith(_TYPED)])


def complaints(sources: Path) -> set[str]:
    """What mypy says of the scripts when torch is the one in that folder."""
    options = ("--python-version", PYTHON, "--implicit-reexport", "--allow-untyped-calls", "--cache-dir", os.devnull)
    command = [sys.executable, "-m", "mypy", "--config-file", _SETTINGS, *options, "entrypoints"]
    environ = {**os.environ, "MYPYPATH": str(sources)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    if not re.search(r"^(Found \d+ errors? in|Success)", done.stdout, re.MULTILINE):
        raise RuntimeError(f"mypy came to no end: {done.stdout[-500:]}{done.stderr[-500:]}")
    return {line for line in done.stdout.splitlines() if line.startswith("entrypoints/") and ": error: " in line}


def main() -> int:
    """Print what each of the older ones does not have."""
    found = {}
    with tempfile.TemporaryDirectory() as name:
        for torch, torchvision in VERSIONS:
            fetch(torch, torchvision, Path(name, torch))
            found[torch] = complaints(Path(name, torch))
    newest = found.pop(VERSIONS[-1][0])
    for torch, told in found.items():
        missing = sorted(told - newest)
        sys.stdout.write(f"torch {torch}: {len(missing)} things are missing, of types alone {len(told & newest)}\n")
        sys.stdout.writelines(f"  {line}\n" for line in missing)
    return 1 if any(told - newest for told in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
