"""Sets up environments: `python set_up.py definition container`. make calls it; it needs nothing but Python.

An environment is made from exact lists with hashes (requirements/), in an empty folder, by one process at a time. Its
stamp is written last, so an interrupted set-up starts again, and a list that did not change costs nothing. Tests and
checks have lists of their own, installed on top. requirements/renew.py makes the lists.
"""

from __future__ import annotations

import ast
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

STAMP = ".ready"
TESTS_STAMP = ".ready-tests"
LISTS = "requirements"
# Where PyTorch publishes its builds for the CPU; pip looks there only if the user's own settings lead to none.
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"
_VERSION = "import sys; print(*sys.version_info[:2], sys.version.replace(chr(10), ' '))"
# pip's words for no build that the list wants, without a constraint of the user's on torch and with one.
_NO_TORCH = re.compile(r"No matching distribution found for torch==|Cannot install torch==")
# Tests of libraries are never imported, and are a third of the bytecode.
_COMPILE = ("-m", "compileall", "-qq", "-j", "0", "-x", r"(^|[/\\])tests?[/\\]", ".")


class SetUpError(Exception):
    """An environment that cannot be set up; the message is for the user."""


@dataclass(frozen=True)
class Environment:
    """A folder, the lists of its packages, the Pythons for the lists, make's name for Python, and our own projects."""

    folder: str
    lists: tuple[str, ...]
    tests: str
    pythons: tuple[tuple[int, int], tuple[int, int]]
    variable: str
    projects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """An environment to set up, with a Python, and with the packages of tests or without."""

    environment: Environment
    python: str
    tests: bool = False


ENVIRONMENTS = {
    "definition": Environment(
        ".venv", ("definition.txt",), "definition-tests.txt", ((3, 10), (3, 13)), "PYTHON", (".", "pipeline")
    ),
    "container": Environment(
        ".venv-container",
        ("torch.txt", "container.txt"),
        "container-tests.txt",
        ((3, 11), (3, 13)),
        "CONTAINER_PYTHON",
    ),
}


class Progress:
    """Says how far the environments are: on a terminal in one line that changes, else with a line at start and end."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._states: dict[str, str] = {}
        self._lock = threading.Lock()
        self._start = time.monotonic()

    def line(self, text: str) -> None:
        """Print a line of its own."""
        with self._lock:
            self._stream.write(f"\r\033[K{text}\n" if self._stream.isatty() else f"{text}\n")
            self._draw()

    def state(self, folder: str, text: str) -> None:
        """Change what the moving line says about a folder; an empty text removes it."""
        with self._lock:
            self._states[folder] = text
            self._draw()

    def _draw(self) -> None:
        if not self._stream.isatty():
            return
        states = [f"{folder}: {text}" for folder, text in self._states.items() if text]
        line = "  ".join([*states, f"{time.monotonic() - self._start:.0f} s"]) if states else ""
        self._stream.write(f"\r\033[K{line[: shutil.get_terminal_size().columns - 1]}")
        self._stream.flush()


class Programs:
    """Runs programs, and ends those that still run when the set-up is interrupted."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._interrupted = False

    def run(self, command: list[str], **options: object) -> Iterator[str]:
        """Run a program and yield its lines; SetUpError with the last ones if it fails."""
        if self._interrupted:
            raise SetUpError("interrupted")
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
        lines: list[str] = []
        with subprocess.Popen(command, **pipes, **options) as process:  # type: ignore[call-overload]
            self._running.add(process)
            for line in process.stdout:
                lines.append(line)
                yield line
        self._running.discard(process)
        if process.returncode:
            raise SetUpError("interrupted" if self._interrupted else "".join(lines[-15:]).rstrip())

    def interrupt(self) -> None:
        """End what runs, and let nothing more start."""
        self._interrupted = True
        for process in list(self._running):
            process.send_signal(signal.SIGTERM)


class SetUp:
    """Sets up one environment in a project's folder."""

    def __init__(self, request: Request, root: Path, progress: Progress, programs: Programs) -> None:
        self._request, self._environment, self._root = request, request.environment, root
        self._progress, self._programs = progress, programs
        self._folder = root / self._environment.folder
        self._python = self._folder / "bin" / "python"
        self._stamp, self._tests_stamp = self._folder / STAMP, self._folder / TESTS_STAMP
        self._uv = shutil.which("uv")

    def run(self) -> None:
        """Make the environment, unless it is there already."""
        version = self._version()
        with _one_at_a_time(self._root / f"{self._environment.folder}.lock", self._progress):
            base = identity(version, *(self._list(name) for name in ("pip.txt", *self._environment.lists)))
            self._make(base)
            self._add_projects(base)
            if self._request.tests:
                self._add_tests(base)

    def _version(self) -> str:
        try:
            major, minor, rest = self._output([self._request.python, "-c", _VERSION]).split(maxsplit=2)
        except OSError:
            raise SetUpError(
                f"there is no {self._request.python}; name another with make {self._environment.variable}=python3"
            ) from None
        check_python(self._environment, (int(major), int(minor)), self._request.python)
        return rest

    def _make(self, base: str) -> None:
        if _first_line(self._stamp) == base:
            return
        start = time.monotonic()
        self._say(f"Setting up {self._environment.folder} …")
        self._stamp.unlink(missing_ok=True)
        self._state("an empty environment")
        without = ["--without-pip"] if self._uv else []
        self._output([self._request.python, "-m", "venv", "--clear", *without, str(self._folder)])
        for name in ("pip.txt", *self._environment.lists):
            self._install(name)
        self._compile()
        self._stamp.write_text(base)
        self._state("")
        self._say(
            f"{self._environment.folder} is ready: {_megabytes(self._folder)} MB, {time.monotonic() - start:.0f} s"
        )

    def _add_projects(self, base: str) -> None:
        """Install our own projects, when what describes them has changed."""
        folders = [self._root / project for project in self._environment.projects]
        files = [folder / name for folder in folders for name in ("pyproject.toml", "setup.cfg")]
        stamp = f"{base}\n{identity(*(file.read_text(encoding='utf-8') for file in files if file.exists()))}"
        if folders and self._stamp.read_text() != stamp:
            self._state("this project")
            editable = [f"--editable={folder}" for folder in folders]
            self._output([*self._pip(), "--no-deps", "--no-build-isolation", *editable])
            self._state("")
        self._stamp.write_text(stamp)  # always, since make compares times

    def _add_tests(self, base: str) -> None:
        name, text = self._environment.tests, self._list(self._environment.tests)
        tests = identity(base, text)
        if _first_line(self._tests_stamp) != tests:
            self._say(f"Adding to {self._environment.folder} what its tests need …")
            earlier = set(self._tests_stamp.read_text().split()[1:]) if self._tests_stamp.exists() else set()
            self._tests_stamp.unlink(missing_ok=True)
            if obsolete := sorted(earlier - set(packages(text))):
                self._output([str(self._python), "-m", "pip", "uninstall", "--quiet", "--yes", *obsolete])
            self._install(name)
            self._compile()
            self._state("")
        self._tests_stamp.write_text("\n".join([tests, *packages(text)]))

    def _install(self, name: str) -> None:
        """Install a list; pip alone sees the wheels of torch that lie where pip's settings point."""
        if self._uv and name != "torch.txt":
            try:
                return self._install_with_uv(self._uv, name)
            except SetUpError as error:
                self._say(f"uv could not install {name}, so pip does it ({str(error).splitlines()[-1].strip()})")
                self._output([str(self._python), "-m", "ensurepip"])
        command = [*self._pip(), "--no-deps", "--require-hashes", "--no-build-isolation", "--no-compile"]
        command += ["--requirement", str(self._root / LISTS / name)]
        try:
            self._follow(command, name)
        except SetUpError as error:
            if not _NO_TORCH.search(str(error)):
                raise SetUpError(
                    f"pip could not install everything; fix what it says, and try again:\n{error}"
                ) from None
            self._install_cpu_build([*command, "--extra-index-url", CPU_BUILDS], name)

    def _install_cpu_build(self, command: list[str], name: str) -> None:
        try:
            self._follow(command, name)
        except SetUpError as error:
            raise SetUpError(
                f"pip found no build of torch for the CPU, not even at {CPU_BUILDS}; "
                f"point PIP_EXTRA_INDEX_URL at an index that has one:\n{error}"
            ) from None

    def _install_with_uv(self, uv: str, name: str) -> None:
        self._state(f"{name}, with uv")
        command = [uv, "pip", "install", "--python", str(self._python), "--no-deps", "--require-hashes"]
        command += ["--no-build-isolation", "--requirement", str(self._root / LISTS / name)]
        self._output(command, env={**os.environ, **uv_variables(self._pip_settings(), os.environ)})

    def _pip_settings(self) -> list[str]:
        try:
            return self._output([self._request.python, "-m", "pip", "config", "list"]).splitlines()
        except SetUpError:
            return []  # a Python without pip has no settings of pip

    def _follow(self, command: list[str], name: str) -> None:
        """Run pip and count the packages that it has got."""
        total, got = len(packages(self._list(name))), 0
        for line in self._programs.run(command, cwd=self._root):
            got += line.startswith(("Collecting ", "Processing ", "Ignoring "))
            installing = line.startswith("Installing collected")
            self._state(f"installing {total} packages" if installing else f"{got} of {total} packages")

    def _compile(self) -> None:
        """Compile on all cores; what does not compile is for other Pythons, and is not imported."""
        [site] = (self._folder / "lib").glob("python*/site-packages")
        self._state("compiling")
        with suppress(SetUpError):
            self._output([str(self._python), *_COMPILE], cwd=site)

    def _pip(self) -> list[str]:
        return [str(self._python), "-m", "pip", "--disable-pip-version-check", "install"]

    def _list(self, name: str) -> str:
        return (self._root / LISTS / name).read_text(encoding="utf-8")

    def _output(self, command: list[str], **options: object) -> str:
        return "".join(self._programs.run(command, **options))

    def _state(self, text: str) -> None:
        self._progress.state(self._environment.folder, text)

    def _say(self, text: str) -> None:
        self._progress.line(text)


def identity(*texts: str) -> str:
    """A hash over texts: what an environment was made from."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def packages(text: str) -> list[str]:
    """The names in a list of requirements."""
    return list(dict.fromkeys(re.findall(r"^([A-Za-z0-9][\w.-]*)==", text, re.MULTILINE)))


def check_python(environment: Environment, version: tuple[int, int], python: str) -> None:
    """Refuse a Python for which the environment's lists were not made."""
    least, most = environment.pythons
    if not least <= version <= most:
        between = f"{least[0]}.{least[1]} to {most[0]}.{most[1]}"
        raise SetUpError(
            f"{environment.folder} is for Python {between}, and {python} is {version[0]}.{version[1]}; "
            f"name another with make {environment.variable}=python{most[0]}.{most[1]}"
        )


def uv_variables(settings: list[str], variables: Mapping[str, str]) -> dict[str, str]:
    """What pip's settings (the lines of `pip config list`) mean to uv, which does not read them; the user's own win."""
    names = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
        "trusted-host": "UV_INSECURE_HOST",
        "cert": "SSL_CERT_FILE",
        "proxy": "ALL_PROXY",
    }
    found = {"UV_INDEX_STRATEGY": "unsafe-best-match"}  # the hashes make it safe; pip takes the best match, too
    for line in settings:
        key, _, value = line.partition("=")
        option = key.rpartition(".")[2]
        if option in names:
            separator = "," if option == "find-links" else " "
            found[names[option]] = separator.join(str(ast.literal_eval(value)).split())
    return {name: value for name, value in found.items() if name not in variables}


def _first_line(path: Path) -> str:
    return path.read_text().partition("\n")[0] if path.exists() else ""


def _megabytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_symlink()) // 1_000_000


@contextmanager
def _one_at_a_time(path: Path, progress: Progress) -> Iterator[None]:
    """Wait for other processes that set up the same folder; the lock ends with its process, however that ends."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.line(f"Waiting for another make that sets up {path.stem} …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def requests(arguments: list[str]) -> list[Request]:
    """Read `definition`, `definition-tests`, `container=python3.12` and the like."""
    wanted: dict[str, Request] = {}
    for argument in arguments:
        name, _, python = argument.partition("=")
        base, _, part = name.partition("-")
        tests = part == "tests" or (base in wanted and wanted[base].tests)
        wanted[base] = Request(ENVIRONMENTS[base], python or sys.executable, tests)
    return list(wanted.values())


def set_up(wanted: list[Request], root: Path, stream: TextIO) -> list[SetUpError]:
    """Set up environments at the same time; returns what went wrong."""
    progress, programs = Progress(stream), Programs()
    with ThreadPoolExecutor() as pool:
        try:
            jobs = [pool.submit(SetUp(request, root, progress, programs).run) for request in wanted]
            errors = [job.exception() for job in jobs]
        except KeyboardInterrupt:
            programs.interrupt()
            raise
    for error in errors:
        if error is not None and not isinstance(error, SetUpError):
            raise error
    return [error for error in errors if isinstance(error, SetUpError)]


def main(arguments: list[str]) -> int:
    """Set up the environments of these names."""
    try:
        errors = set_up(requests(arguments), Path(__file__).resolve().parent, sys.stderr)
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted; the next make starts again\n")
        return 130
    sys.stderr.writelines(f"{error}\n" for error in errors)
    return 2 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
