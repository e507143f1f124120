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
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from requirements.running import Programs, Progress, SetUpError

STAMP = ".ready"
TESTS_STAMP = ".ready-tests"
LISTS = "requirements"
# Where PyTorch publishes its builds for the CPU; pip looks there only if the user's own settings lead to none.
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"
_VERSION = "import sys; print(*sys.version_info[:2], sys.version.replace(chr(10), ' '))"
# pip's words for no build that the list wants, without a constraint of the user's on torch and with one.
_NO_TORCH = re.compile(r"No matching distribution found for torch==|Cannot install torch==")
_EXACTLY = ("--no-deps", "--require-hashes", "--no-build-isolation", "--no-compile")
_COMPILE = Path(__file__).with_name(LISTS) / "compiling.py"


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
        with _one_at_a_time(self._root / f"{self._environment.folder}.lock", self._progress, self._programs):
            base = identity(version, *(self._list(name) for name in ("pip.txt", *self._environment.lists)))
            self._set_up_base(base)
            if self._request.tests:
                self._add_tests(base)

    def _set_up_base(self, base: str) -> None:
        """Make the environment when its lists have changed, and install our own projects when they have."""
        start, stamp = time.monotonic(), f"{base}\n{self._projects()}"
        is_made = _first_line(self._stamp) == base
        if not is_made or self._stamp.read_text() != stamp:
            self._stamp.unlink(missing_ok=True)
            if not is_made:
                self._make()
            self._install_projects()
            self._state("")
        self._stamp.write_text(stamp)  # always, since make compares times
        if not is_made:
            size, seconds = _megabytes(self._folder), time.monotonic() - start
            self._say(f"{self._environment.folder} is ready: {size} MB, {seconds:.0f} s")

    def _version(self) -> str:
        try:
            major, minor, rest = self._output([self._request.python, "-c", _VERSION]).split(maxsplit=2)
        except OSError:
            raise SetUpError(
                f"there is no {self._request.python}; name another with make {self._environment.variable}=python3"
            ) from None
        check_python(self._environment, (int(major), int(minor)), self._request.python)
        return rest

    def _make(self) -> None:
        self._say(f"Setting up {self._environment.folder} …")
        self._state("an empty environment")
        self._output([self._request.python, "-m", "venv", "--clear", "--without-pip", str(self._folder)])
        if not self._uv:
            self._bring_a_pip()
        for name in ("pip.txt", *self._environment.lists):
            self._install(name)
        self._compile()

    def _bring_a_pip(self) -> None:
        """Let the pip of the Python that we start from install ours, which is quicker than to unpack its own first."""
        pip = [self._request.python, "-m", "pip", "--disable-pip-version-check", "--python", str(self._python)]
        try:
            self._output([*pip, "install", *_EXACTLY, "--requirement", str(self._root / LISTS / "pip.txt")])
            self._output([*self._pip(), "--help"])
        except SetUpError:
            self._programs.check()  # that Python has no pip, or one from before 22.3
            self._output([str(self._python), "-m", "ensurepip"])

    def _projects(self) -> str:
        """A hash over what describes our own projects."""
        folders = [self._root / project for project in self._environment.projects]
        files = [folder / name for folder in folders for name in ("pyproject.toml", "setup.cfg")]
        return identity(*(file.read_text(encoding="utf-8") for file in files if file.exists()))

    def _install_projects(self) -> None:
        if self._environment.projects:
            self._state("this project")
            editable = [f"--editable={self._root / project}" for project in self._environment.projects]
            self._output([*self._pip(), "--no-deps", "--no-build-isolation", *editable])

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
                self._programs.check()
                self._say(f"uv could not install {name}, so pip does it ({str(error).splitlines()[-1].strip()})")
                self._output([str(self._python), "-m", "ensurepip"])
        command = [*self._pip(), *_EXACTLY, "--requirement", str(self._root / LISTS / name)]
        try:
            self._follow(command, name)
        except SetUpError as error:
            self._programs.check()
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
        total, got = len(pins(self._list(name))), 0
        for line in self._programs.run(command, cwd=self._root):
            got += line.startswith(("Collecting ", "Processing ", "Ignoring "))
            installing = line.startswith("Installing collected")
            self._state(f"installing {total} packages" if installing else f"{got} of {total} packages")

    def _compile(self) -> None:
        """Compile all modules now: jobs can only read the environment, and each would compile them for itself."""
        [site] = (self._folder / "lib").glob("python*/site-packages")
        self._state("compiling")
        try:
            self._output([str(self._python), "-W", "ignore", str(_COMPILE), str(site)])
        except SetUpError as error:
            self._programs.check()
            raise SetUpError(f"{self._environment.folder} is not compiled:\n{error}") from None

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


def pins(text: str) -> list[str]:
    """The names in a list of requirements; one whose version depends on the Python comes twice."""
    return re.findall(r"^([A-Za-z0-9][\w.-]*)==", text, re.MULTILINE)


def packages(text: str) -> list[str]:
    """The names in a list of requirements, each once."""
    return list(dict.fromkeys(pins(text)))


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
def _one_at_a_time(path: Path, progress: Progress, programs: Programs) -> Iterator[None]:
    """Wait for other processes that set up the same folder; the lock ends with its process, however that ends."""
    with path.open("w") as lock:
        waits = False
        while not _locked(lock):
            if not waits:
                progress.line(f"Waiting for another make that sets up {path.stem} …")
            waits = True
            programs.check()
            time.sleep(0.2)
        yield


def _locked(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


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
    before = [(number, signal.signal(number, programs.interrupt)) for number in (signal.SIGINT, signal.SIGTERM)]
    with ThreadPoolExecutor() as pool:
        jobs = [pool.submit(SetUp(request, root, progress, programs).run) for request in wanted]
        errors = [job.exception() for job in jobs]
    for number, handler in before:
        signal.signal(number, handler)
    for error in errors:
        if error is not None and not isinstance(error, SetUpError):
            raise error
    progress.end()
    return [error for error in errors if isinstance(error, SetUpError)]


def main(arguments: list[str]) -> int:
    """Set up the environments of these names."""
    errors = set_up(requests(arguments), Path(__file__).resolve().parent, sys.stderr)
    sys.stderr.writelines(dict.fromkeys(f"{error}\n" for error in errors))
    return 2 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
