"""AWS's clients in other languages and of other makers, as anybody installs them: exact versions, with their hashes.

The AWS CLI v2 is on no registry as a program, but in a distribution that AWS makes for the CDK.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLIENTS, SDK_2 = "clients.txt", "sdk-2.txt"
_FILES = Path(__file__).parents[1] / "fixtures" / "clients"


@dataclass(frozen=True)
class ClientPrograms:
    """The programs, each by its path."""

    folder: Path

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def aws_1(self) -> str:
        return str(self.bin / "aws")

    @property
    def aws_2(self) -> str:
        [program] = self.folder.glob("awscli/v2/*/dist/aws")
        return str(program)

    @property
    def python(self) -> str:
        return str(self.bin / "python")

    @property
    def node(self) -> str:
        return str(self.bin / "node")


def installed(folder: Path) -> ClientPrograms:
    """Install them into a folder."""
    programs = ClientPrograms(folder)
    python_with(CLIENTS, folder)
    _unpack_aws_2(folder)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_FILES / name, folder)
    _run([str(programs.bin / "npm"), "ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder)
    return programs


def python_with(requirements: str, folder: Path) -> str:
    """Make an environment that has a list of packages, and return its Python."""
    python = str(folder / "bin" / "python")
    _run([sys.executable, "-m", "venv", str(folder)], folder.parent)
    exactly = ["--quiet", "--no-deps", "--require-hashes", "--no-compile"]
    _run([python, "-m", "pip", "install", *exactly, "--requirement", f"requirements/{requirements}"], ROOT)
    return python


def _unpack_aws_2(folder: Path) -> None:
    """Take the AWS CLI v2 out of the layer that is inside of a module of the CDK."""
    [module] = folder.glob("lib/python*/site-packages/aws_cdk/asset_awscli_v2/_jsii/*.jsii.tgz")
    with tarfile.open(module) as packed:
        layer = packed.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(layer) as archive:
            archive.extractall(folder)
    Path(ClientPrograms(folder).aws_2).chmod(0o755)


def _run(command: list[str], folder: Path) -> None:
    path = os.pathsep.join((str(Path(command[0]).parent), os.environ["PATH"]))
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
