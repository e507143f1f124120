"""An environment is set up once, by one process at a time, from packages with the right hashes, and never half."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from importlib.util import cache_from_source
from pathlib import Path
from types import MappingProxyType

import pytest

from requirements import renew
from requirements.running import Progress, SetUpError
from set_up import ENVIRONMENTS, STAMP, TESTS_STAMP, check_python, packages, requests, uv_variables

ROOT = Path(__file__).parents[1]
LISTS = ["pip.txt", *(f"{name}{part}.txt" for name in ENVIRONMENTS for part in ("", "-tests")), "torch.txt"]
SMALL = """
import sys
from pathlib import Path
import set_up
projects = (".",) if "project" in sys.argv else ()
environment = set_up.Environment("env", ("list.txt",), "tests.txt", ((3, 10), (3, 13)), "PYTHON", projects)
tests = "tests" in sys.argv
request = set_up.Request(environment, sys.argv[1], tests)
errors = set_up.set_up([request], Path.cwd(), sys.stderr)
sys.exit("".join(f"error: {error}" for error in errors) or 0)
"""
UV = '#!/bin/sh\necho "$*" >> "$(dirname "$0")/calls"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "set_up.py", tmp_path)
    (tmp_path / "requirements").mkdir()
    for name in ("running.py", "compiling.py"):
        shutil.copy(ROOT / "requirements" / name, tmp_path / "requirements")
    for name in ("pip.txt", "list.txt", "tests.txt"):
        write(tmp_path, name, "# nothing\n")
    return tmp_path


@pytest.fixture
def with_uv(folder: Path) -> Path:
    """The folder, with a uv on PATH that installs nothing and notes its calls."""
    script(folder / "uv", UV)
    return folder


def write(folder: Path, name: str, text: str) -> None:
    (folder / "requirements" / name).write_text(text, encoding="utf-8")


def script(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def wheel(folder: Path, name: str, version: str, modules: Mapping[str, str] = MappingProxyType({})) -> str:
    """Write a wheel, empty but for further modules, and return the line of a list that wants it."""
    info = f"{name}-{version}.dist-info"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    files = {
        f"{name}.py": "",
        **modules,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in {**files, f"{info}/RECORD": "".join(f"{file},,\n" for file in files)}.items():
            archive.writestr(file, text)
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def start(folder: Path, *arguments: str, python: str = sys.executable) -> subprocess.Popen[str]:
    variables = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}
    variables["PATH"] = os.pathsep.join([str(folder), str(Path(sys.executable).parent), "/usr/bin", "/bin"])
    return subprocess.Popen(
        [sys.executable, "-c", SMALL, python, *arguments], cwd=folder, stderr=subprocess.PIPE, text=True, env=variables
    )


def ended(process: subprocess.Popen[str]) -> str:
    _, errors = process.communicate(timeout=120)
    return errors


def installed(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("env/lib/python*/site-packages/*.py")}


def test_processes_that_start_together_set_it_up_once(with_uv: Path) -> None:
    errors = [ended(process) for process in [start(with_uv), start(with_uv), start(with_uv)]]
    assert "".join(errors).count("Setting up env") == 1
    assert (with_uv / "env" / STAMP).exists()


def test_a_changed_list_sets_it_up_again_from_scratch(with_uv: Path) -> None:
    ended(start(with_uv))
    (with_uv / "env" / "stale").touch()
    assert ended(start(with_uv)) == ""
    assert (with_uv / "env" / "stale").exists()
    write(with_uv, "list.txt", "# nothing else\n")
    assert "Setting up env" in ended(start(with_uv))
    assert not (with_uv / "env" / "stale").exists()


def test_what_tests_need_is_added_and_a_change_of_it_leaves_the_rest_in_place(folder: Path) -> None:
    write(folder, "list.txt", wheel(folder, "needed", "1"))
    assert "env is ready" in ended(start(folder))
    assert not (folder / "env" / TESTS_STAMP).exists()
    write(folder, "tests.txt", wheel(folder, "checker", "1"))
    assert "Adding to env" in ended(start(folder, "tests"))
    assert installed(folder) >= {"needed", "checker"}
    assert ended(start(folder)) == ended(start(folder, "tests")) == ""
    write(folder, "tests.txt", wheel(folder, "linter", "1"))
    assert "Setting up" not in ended(start(folder, "tests"))
    assert {"needed", "linter"} <= installed(folder)
    assert "checker" not in installed(folder)


def test_all_modules_that_this_python_can_read_are_compiled(folder: Path) -> None:
    modules = {"package/module.py": "", "package/later.py": "this is for another Python", "package/tests/case.py": ""}
    write(folder, "list.txt", wheel(folder, "needed", "1", modules))
    assert "env is ready" in ended(start(folder))
    [site] = folder.glob("env/lib/python*/site-packages")
    compiled = {name for name in ("needed.py", *modules) if Path(cache_from_source(str(site / name))).exists()}
    assert compiled == {"needed.py", "package/module.py"}


def test_an_environment_that_cannot_be_compiled_is_not_ready(folder: Path) -> None:
    write(folder, "list.txt", wheel(folder, "needed", "1", {"package/module.py": "", "package/__pycache__": "a file"}))
    assert re.search(
        r"error: env is not compiled:\n.*/package/module.py and 0 others cannot be compiled; is the disk full, "
        r"or .*/site-packages read-only\?$",
        ended(start(folder)),
    )
    assert not (folder / "env" / STAMP).exists()


def test_a_package_with_another_hash_is_refused_and_leaves_no_stamp(folder: Path) -> None:
    line = wheel(folder, "needed", "1")
    write(folder, "list.txt", line.partition("sha256:")[0] + f"sha256:{'0' * 64}\n")
    process = start(folder)
    errors = ended(process)
    assert "error: pip could not install everything" in errors
    assert "DO NOT MATCH THE HASHES" in errors
    assert process.returncode == 1
    assert not (folder / "env" / STAMP).exists()


def test_a_build_of_torch_for_cuda_is_not_taken(folder: Path) -> None:
    wheel(folder, "torch", "2.13.0")
    write(folder, "list.txt", f"torch==2.13.0+cpu --hash=sha256:{'0' * 64}\n")
    assert "point PIP_EXTRA_INDEX_URL at an index that has one" in ended(start(folder))


def test_no_stamp_is_there_while_the_project_itself_is_not(folder: Path) -> None:
    (folder / "setup.cfg").write_text("[metadata]\nname = ours\nversion = 1\n", encoding="utf-8")
    (folder / "pyproject.toml").write_text("no TOML\n", encoding="utf-8")
    process = start(folder, "project")
    assert ended(process)
    assert process.returncode == 1
    assert not (folder / "env" / STAMP).exists()


def test_uv_installs_where_it_is_there(with_uv: Path) -> None:
    write(with_uv, "list.txt", "needed==1 --hash=sha256:00\n")
    ended(start(with_uv))
    calls = (with_uv / "calls").read_text().splitlines()
    assert [call.rpartition("/")[2] for call in calls] == ["pip.txt", "list.txt"]
    assert all("--require-hashes" in call and "--no-deps" in call for call in calls)


def test_pip_installs_what_uv_cannot(folder: Path) -> None:
    script(folder / "uv", "#!/bin/sh\necho no route; exit 1\n")
    write(folder, "list.txt", wheel(folder, "needed", "1"))
    errors = ended(start(folder))
    assert "uv could not install list.txt, so pip does it (no route)" in errors
    assert "needed" in installed(folder)


def test_an_interrupted_set_up_ends_at_once_and_leaves_no_stamp(folder: Path) -> None:
    python = script(
        folder / "slow", f'#!/bin/sh\n[ "$1" = -c ] && exec {sys.executable} "$@"\ntouch started\nexec sleep 100\n'
    )
    process = start(folder, python=str(python))
    while not (folder / "started").exists():
        assert process.poll() is None
    waiting = start(folder, python=str(python))
    assert waiting.stderr
    assert "Waiting for another make" in waiting.stderr.readline()
    for each in (waiting, process):
        each.send_signal(signal.SIGINT)
        assert ended(each).endswith("error: interrupted; the next make starts again\n")
    assert not (folder / "env" / STAMP).exists()


def test_a_python_that_is_not_there_is_one_line(folder: Path) -> None:
    assert (
        ended(start(folder, python="python9")) == "error: there is no python9; name another with make PYTHON=python3\n"
    )


@pytest.mark.parametrize(("name", "version"), [("definition", (3, 9)), ("definition", (3, 14)), ("container", (3, 10))])
def test_a_python_that_the_list_does_not_support_is_refused(name: str, version: tuple[int, int]) -> None:
    with pytest.raises(SetUpError, match=r"; name another with make (CONTAINER_)?PYTHON=python3\.13$"):
        check_python(ENVIRONMENTS[name], version, "python3")


def test_arguments_name_environments_their_pythons_and_their_tests() -> None:
    both = requests(["definition-tests", "container=python3.12"])
    assert [(request.environment.folder, request.python, request.tests) for request in both] == [
        (".venv", sys.executable, True),
        (".venv-container", "python3.12", False),
    ]


def test_uv_gets_the_settings_of_pip_that_it_does_not_read() -> None:
    settings = [
        ":env:.find-links='/opt/wheels'",
        "global.extra-index-url='https://one/simple https://two/simple'",
        "global.index-url='https://mirror/simple'",
        "global.timeout='60'",
    ]
    assert uv_variables(settings, {"UV_DEFAULT_INDEX": "https://mine/simple"}) == {
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/opt/wheels",
        "UV_INDEX": "https://one/simple https://two/simple",
    }


class Terminal(io.StringIO):
    """A stream that a person looks at."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_one_line_says_how_far_both_are() -> None:
    terminal = Terminal()
    progress = Progress(terminal)
    progress.state(".venv", "3 of 80 packages")
    progress.state(".venv-container", "compiling")
    last = terminal.getvalue().rpartition("\033[K")[2]
    assert re.fullmatch(r"\.venv: 3 of 80 packages  \.venv-container: compiling  \d+ s", last)


def test_elsewhere_only_whole_lines_are_written() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    progress.state(".venv", "3 of 80 packages")
    progress.line("Setting up .venv …")
    assert stream.getvalue() == "Setting up .venv …\n"


@pytest.mark.parametrize("name", LISTS)
def test_every_package_of_a_list_has_hashes(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    requirements = re.findall(r"^\w.*(?:\n    .*)*", text, re.MULTILINE)
    assert len(requirements) >= len(packages(text)) > 0
    assert not [requirement for requirement in requirements if "==" not in requirement or "--hash=" not in requirement]


@pytest.mark.parametrize("name", ["definition", "container"])
def test_lists_have_nothing_that_is_left_out_and_nothing_twice(name: str) -> None:
    folder = ROOT / "requirements"
    lists = {part: packages((folder / f"{part}.txt").read_text("utf-8")) for part in ("pip", name, f"{name}-tests")}
    names = [package for found in lists.values() for package in found]
    assert len(set(names)) == len(names)
    for part in (name, f"{name}-tests"):
        assert not set(lists[part]) & set((folder / renew.LISTS[part].excludes).read_text("utf-8").split("\n"))
