"""Makes the lists of exact versions with hashes that set_up.py installs: `python requirements/renew.py [--upgrade]`.

It needs uv (`pip install uv`), which resolves once for all Pythons and systems, and writes the hash of every file of a
version. What is required comes from setup.cfg, pipeline/pyproject.toml and the .in files here. *-left-out.txt names
what is required and never imported. Versions stay as they are unless --upgrade is given.

torch.txt comes from PyTorch's index of CPU builds, and stays as it is if that cannot be reached. It has no hash of a
CUDA build, so none can be installed.
"""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"
OF_THE_TOOL = "pedigree"
_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)==.*$")


@dataclass(frozen=True)
class List:
    """A list to make: its oldest Python, the lists below it, and the files that say what to leave out or replace."""

    python: str
    below: tuple[str, ...] = ()
    excludes: str = ""
    overrides: str = ""


LISTS = {
    "pip": List("3.10"),
    "definition": List("3.10", excludes="definition-left-out.txt"),
    "definition-tests": List("3.10", below=("pip", "definition"), excludes="definition-left-out.txt"),
    "container": List("3.11", excludes="container-left-out.txt", overrides="container-overrides.txt"),
    "container-tests": List("3.11", below=("pip", "container"), excludes="container-tests-left-out.txt"),
    "clients": List("3.10", below=("pip",), excludes="clients-left-out.txt"),
    "sdk-2": List("3.10", below=("pip",)),
}


def required(name: str) -> list[str]:
    """What a list must contain: what the packages of this repository declare, or the .in file of that name."""
    if not name.startswith("definition"):
        return (HERE / f"{name}.in").read_text(encoding="utf-8").splitlines()
    tool = configparser.ConfigParser()
    tool.read(ROOT / "setup.cfg", encoding="utf-8")
    extras = tool["options.extras_require"]
    if name == "definition-tests":
        return extras["test"].splitlines()
    project = (ROOT / "pipeline" / "pyproject.toml").read_text(encoding="utf-8")
    return [
        *tool["options"]["install_requires"].splitlines(),
        *extras["account"].splitlines(),
        *extras["local"].splitlines(),
        *(line for line in dependencies(project) if not line.startswith(OF_THE_TOOL)),
    ]


def dependencies(pyproject: str) -> list[str]:
    """The dependencies that a pyproject.toml declares; read without tomllib, which Python 3.10 lacks."""
    [block] = re.findall(r"^dependencies = \[\n(.*?)^\]", pyproject, re.MULTILINE | re.DOTALL)
    return re.findall(r'"([^"]+)"', block)


def blocks(text: str) -> dict[str, list[str]]:
    """The hashes of each requirement in a list."""
    found: dict[str, list[str]] = {}
    hashes: list[str] = []
    for line in text.splitlines():
        if _REQUIREMENT.match(line):
            hashes = found.setdefault(line.rstrip(" \\"), [])
        hashes += re.findall(r"--hash=(\S+)", line)
    return found


def rendered(requirements: dict[str, list[str]]) -> str:
    """The text of a list."""
    return "".join(
        " \\\n    ".join([requirement, *(f"--hash={value}" for value in sorted(hashes))]) + "\n"
        for requirement, hashes in requirements.items()
    )


def without(requirements: dict[str, list[str]], below: Iterable[str]) -> dict[str, list[str]]:
    """A list without the packages of the lists below it."""
    names = {name_of(requirement) for requirement in below}
    return {requirement: hashes for requirement, hashes in requirements.items() if name_of(requirement) not in names}


def name_of(requirement: str) -> str:
    """The name of the package that a requirement pins."""
    return requirement.partition("==")[0]


def renew(name: str, upgrade: bool) -> None:
    """Make one list anew."""
    made, target = LISTS[name], HERE / f"{name}.txt"
    below = [requirement for lower in made.below for requirement in blocks((HERE / f"{lower}.txt").read_text())]
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder, "constraints.txt")
        constraints.write_text("\n".join(below))
        options = ["--python-version", made.python, "--constraints", str(constraints)]
        options += ["--excludes", str(HERE / made.excludes)] if made.excludes else []
        options += ["--overrides", str(HERE / made.overrides)] if made.overrides else []
        text = compiled(required(name), [*options, *(["--upgrade"] if upgrade else [])], target)
    header = f"# Made by requirements/renew.py; it says from what. For Python {made.python} and later.\n"
    target.write_text(header + rendered(without(blocks(text), below)))


def renew_torch() -> None:
    """Make the list of torch and torchvision: PyTorch's builds for the CPU, and the usual index's of torchvision."""
    lines = required("torch")
    vision = next(line for line in lines if line.startswith("torchvision"))
    with_local_versions = [line.replace(vision, f'{vision}+cpu ; sys_platform == "linux"') for line in lines]
    options = ["--no-deps", "--python-version", LISTS["container"].python]
    try:
        cpu = blocks(compiled(with_local_versions, [*options, "--default-index", CPU_BUILDS]))
    except subprocess.CalledProcessError:
        sys.stderr.write(f"{CPU_BUILDS} cannot be reached; torch.txt stays as it is\n")
        return
    found = {requirement: hashes for requirement, hashes in cpu.items() if not requirement.startswith("torchvision")}
    usual = blocks(compiled([vision], options))
    found[vision] = sorted(
        {
            value
            for made in (cpu, usual)
            for requirement in made
            if "torchvision" in requirement
            for value in made[requirement]
        }
    )
    (HERE / "torch.txt").write_text("# Made by requirements/renew.py from torch.in.\n" + rendered(found))


def compiled(lines: list[str], options: list[str], kept: Path | None = None) -> str:
    """What uv resolves; versions in the kept list stay."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "required.in"), Path(folder, "list.txt")
        source.write_text("\n".join(lines))
        if kept and kept.exists():
            shutil.copy(kept, target)
        command = [
            "uv",
            "pip",
            "compile",
            "--universal",
            "--generate-hashes",
            "--no-header",
            "--no-annotate",
            "--quiet",
        ]
        command += ["--no-emit-index-url", "--allow-unsafe", *options, str(source), "--output-file", str(target)]
        subprocess.run(command, check=True)
        return target.read_text()


def main(arguments: list[str]) -> int:
    """Make all lists anew, the lower ones first."""
    if not shutil.which("uv"):
        sys.stderr.write("uv is not on PATH; pip install uv, and try again\n")
        return 2
    for name in LISTS:
        renew(name, upgrade="--upgrade" in arguments)
    renew_torch()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
