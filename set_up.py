"""Set up an environment: `python set_up.py definition`, or `container`. make calls it; it needs nothing but Python.

An environment is made from an exact list, in an empty folder, by one process at a time. Its stamp holds the hash of the
list and is written last, so that whatever was interrupted is begun anew, and a list that did not change costs nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

STAMP = ".ready"
_CUDA = """
import pathlib, runpy
from importlib.util import find_spec
print(runpy.run_path(str(pathlib.Path(find_spec("torch").origin).with_name("version.py")))["cuda"])
"""


class SetUpError(Exception):
    """An environment that cannot be set up; the message is for the user."""


@dataclass(frozen=True)
class Environment:
    """A folder, the list of its packages, the Pythons for the list, make's name for Python, and our own projects."""

    folder: str
    constraints: str
    pythons: tuple[tuple[int, int], tuple[int, int]]
    variable: str
    projects: tuple[str, ...] = ()
    has_torch: bool = False


ENVIRONMENTS = {
    "definition": Environment(".venv", "constraints.txt", ((3, 10), (3, 13)), "PYTHON", projects=(".", "pipeline")),
    "container": Environment(
        ".venv-container", "constraints-container.txt", ((3, 11), (3, 13)), "CONTAINER_PYTHON", has_torch=True
    ),
}


def set_up(environment: Environment, root: Path, progress: TextIO) -> None:
    """Make the environment in a project's folder, unless it is there already."""
    check_python(environment, sys.version_info[:2])
    folder, constraints = root / environment.folder, root / environment.constraints
    python, stamp = folder / "bin" / "python", folder / STAMP
    with _one_at_a_time(root / f"{environment.folder}.lock", progress):
        identity = hashlib.sha256(f"{sys.version}\n{constraints.read_text(encoding='utf-8')}".encode()).hexdigest()
        if not stamp.exists() or stamp.read_text() != identity:
            progress.write(f"Setting up {environment.folder}, about a minute …\n")
            venv.create(folder, clear=True, with_pip=True, symlinks=True)
            _install(python, progress, "--requirement", str(constraints))
        if environment.has_torch:
            _check_torch(python, environment)
        for project in environment.projects:
            _install(python, progress, "--no-build-isolation", "--editable", str(root / project))
        stamp.write_text(identity)


def check_python(environment: Environment, version: tuple[int, int]) -> None:
    """Whether the environment's list holds for a version of Python; SetUpError says for which it does."""
    least, most = environment.pythons
    if not least <= version <= most:
        between = f"{least[0]}.{least[1]} to {most[0]}.{most[1]}"
        raise SetUpError(
            f"{environment.folder} is for Python {between}, and {sys.executable} is {version[0]}.{version[1]}; "
            f"name another with make {environment.variable}=python{most[0]}.{most[1]}"
        )


def _check_torch(python: Path, environment: Environment) -> None:
    """A CUDA build of torch is gigabytes of libraries that this list leaves out: it would not even be imported."""
    cuda = subprocess.run([python, "-c", _CUDA], capture_output=True, text=True, check=True).stdout.strip()
    if cuda != "None":
        raise SetUpError(
            f"pip found a torch for CUDA {cuda}, and {environment.folder} needs one for the CPU; "
            "point PIP_EXTRA_INDEX_URL at PyTorch's index of CPU builds, then make clean, and try again"
        )


def _install(python: Path, progress: TextIO, *what: str) -> None:
    """Run pip; on a terminal, count the packages that it has got."""
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--no-deps", *what]
    told: list[str] = []
    got = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        for line in pip.stdout or ():
            told.append(line)
            got += line.startswith("Collecting ")
            if progress.isatty():
                progress.write(f"\r  {got} packages …" if got else "")
                progress.flush()
    if progress.isatty() and got:
        progress.write("\r\033[K")
    if pip.returncode:
        raise SetUpError(f"pip could not install everything; mend what it says, and try again:\n{''.join(told[-15:])}")


@contextmanager
def _one_at_a_time(path: Path, progress: TextIO) -> Iterator[None]:
    """Wait for other processes that set up the same folder; the lock ends with its process, however that ends."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.write(f"Waiting for another make that is at {path.stem} …\n")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: list[str]) -> int:
    """Set up the environments of these names."""
    try:
        for name in arguments:
            set_up(ENVIRONMENTS[name], Path(__file__).resolve().parent, sys.stderr)
    except SetUpError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; the next make begins anew\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
