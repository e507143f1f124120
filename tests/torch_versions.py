"""Checks what the scripts use of torch against the types of the oldest torch that they support, and of later ones.

    .venv/bin/python -m tests.torch_versions

Only one torch is installed. The others are downloaded for a Mac, where they come without CUDA (64 to 111 MB), and not
installed: mypy reads their sources. Errors that also occur with the newest torch are about types that are too narrow;
errors that occur only with an older one are names or arguments that it does not have yet.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

# torch and the torchvision that was made for it; the last is the one in requirements/torch.in.
VERSIONS = (("2.5.1", "0.20.1"), ("2.9.0", "0.24.0"), ("2.13.0", "0.28.0"))
PYTHON = "3.10"
_SYSTEMS = ("macosx_11_0_arm64", "macosx_12_0_arm64", "macosx_14_0_arm64")
_TYPED = (".py", ".pyi", "/py.typed")
_SETTINGS = "tests/container/mypy.ini"
_PATIENCE = 900


def fetch(torch: str, torchvision: str, folder: Path) -> None:
    """Download both, and unpack their Python sources into a folder."""
    systems = [word for system in _SYSTEMS for word in ("--platform", system)]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", *systems]
    packages = [f"torch=={torch}", f"torchvision=={torchvision}"]
    with tempfile.TemporaryDirectory() as wheels:
        subprocess.run(
            [*command, "--python-version", PYTHON, "--dest", wheels, *packages], check=True, timeout=_PATIENCE
        )
        for wheel in Path(wheels).glob("*.whl"):
            with zipfile.ZipFile(wheel) as packed:
                packed.extractall(folder, [name for name in packed.namelist() if name.endswith(_TYPED)])


def complaints(sources: Path) -> set[str]:
    """Mypy's errors about the scripts with the torch in that folder."""
    options = ("--python-version", PYTHON, "--implicit-reexport", "--allow-untyped-calls", "--cache-dir", os.devnull)
    command = [sys.executable, "-m", "mypy", "--config-file", _SETTINGS, *options, "entrypoints"]
    environ = {**os.environ, "MYPYPATH": str(sources)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    if not re.search(r"^(Found \d+ errors? in|Success)", done.stdout, re.MULTILINE):
        raise RuntimeError(f"mypy did not finish: {done.stdout[-500:]}{done.stderr[-500:]}")
    return {line for line in done.stdout.splitlines() if line.startswith("entrypoints/") and ": error: " in line}


def main() -> int:
    """Print what each older version lacks."""
    found = {}
    with tempfile.TemporaryDirectory() as name:
        for torch, torchvision in VERSIONS:
            fetch(torch, torchvision, Path(name, torch))
            found[torch] = complaints(Path(name, torch))
    newest = found.pop(VERSIONS[-1][0])
    for torch, errors in found.items():
        missing = sorted(errors - newest)
        about_types = len(errors & newest)
        sys.stdout.write(f"torch {torch}: {len(missing)} names or arguments are missing; {about_types} type errors\n")
        sys.stdout.writelines(f"  {line}\n" for line in missing)
    return 1 if any(errors - newest for errors in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
