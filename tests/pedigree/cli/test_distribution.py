"""What a plain `pip install pedigree` brings, and what it says where an extra is missing."""

from __future__ import annotations

import configparser
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from pedigree.cli import extras, verbs
from pedigree.toml import tomllib

ROOT = Path(__file__).parents[3]
FOREIGN = ROOT / "tests" / "fixtures" / "sdk" / "v2" / "abalone.json"
PROJECT = tomllib.loads((ROOT / "pipeline" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MOST_DEPENDENCIES = 15


def setup() -> configparser.ConfigParser:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return config


def requirements(text: str) -> list[Requirement]:
    return [Requirement(line) for line in text.splitlines() if line]


def closure(roots: list[Requirement]) -> set[str]:
    """The distributions that pip would install for these."""
    names: set[str] = set()
    waiting = list(roots)
    while waiting:
        requirement = waiting.pop()
        is_needed = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if is_needed and requirement.name.lower() not in names:
            names.add(requirement.name.lower())
            waiting += requirements("\n".join(distribution(requirement.name).requires or ()))
    return names


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a plain installation has on its path: pedigree and its own dependencies, and no more."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "pedigree").symlink_to(ROOT / "pedigree")
    for name in closure(requirements(setup()["options"]["install_requires"])):
        found = distribution(name)
        tops = {file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "__pycache__")}
        for top in tops:
            (folder / top).symlink_to(Path(str(found.locate_file(top))))
    return folder


def run(folder: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs Python with nothing but the folder and the standard library on its path."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PEDIGREE"))}
    command = [sys.executable, "-S", *arguments]
    environment["PYTHONPATH"] = str(folder)
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False)


def pedigree(folder: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run(folder, "-m", "pedigree", *arguments, cwd=cwd)


def test_a_plain_installation_brings_few_distributions() -> None:
    names = closure(requirements(setup()["options"]["install_requires"]))
    assert len(names) <= MOST_DEPENDENCIES, sorted(names)


def test_a_plain_installation_checks_draws_and_compares_any_definition(bare: Path, tmp_path: Path) -> None:
    checked = pedigree(bare, "check", str(FOREIGN), cwd=tmp_path)
    drawn = pedigree(bare, "graph", str(FOREIGN), cwd=tmp_path)
    compared = pedigree(bare, "diff", str(FOREIGN), str(FOREIGN), cwd=tmp_path)

    assert (checked.returncode, checked.stderr) == (0, "")
    assert "CST004 in AbaloneProcess" in checked.stdout
    assert drawn.stdout.split() == ["pipeline.mmd", "pipeline.svg"]
    assert (compared.returncode, compared.stdout) == (0, "no difference\n")


def test_a_plain_installation_knows_no_project(bare: Path, tmp_path: Path) -> None:
    described = pedigree(bare, "--help", cwd=tmp_path)
    refused = pedigree(bare, "check", cwd=tmp_path)

    names = re.findall(r"^  ([a-z0-9-]+) ", described.stdout.partition("Commands:")[2], re.MULTILINE)
    assert names == list(verbs.OWN)
    assert refused.returncode == 2
    assert refused.stderr == ("pedigree: there is no definition to check; name a file, or - for standard input\n")
    assert run(bare, "-c", "import steps", cwd=tmp_path).returncode == 1


def test_a_project_that_is_not_installed_is_named_with_the_remedy(bare: Path) -> None:
    refused = pedigree(bare, "definition", cwd=ROOT / "docs")

    assert refused.returncode == 2
    assert refused.stderr == (
        f"pedigree: the project in {ROOT} is not installed; pip install --editable {ROOT / 'pipeline'}\n"
    )


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (("local", "up"), "local"),
        (("start", "--pipeline=any"), "account"),
        (("executions", "--pipeline=any"), "account"),
    ],
)
def test_a_verb_whose_extra_is_missing_says_how_to_install_it(
    bare: Path, tmp_path: Path, arguments: tuple[str, ...], extra: str
) -> None:
    refused = pedigree(bare, *arguments, cwd=tmp_path)

    assert refused.returncode == 2
    assert refused.stderr == (f"pedigree: this needs boto3, which is not installed; pip install 'pedigree[{extra}]'\n")
    assert pedigree(bare, *arguments, "--help", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("extra", sorted(extras.MODULES))
def test_the_modules_of_an_extra_are_among_its_distributions(extra: str) -> None:
    names = {requirement.name for requirement in requirements(setup()["options.extras_require"][extra])}
    assert set(extras.MODULES[extra]) <= names
    assert all(importlib.util.find_spec(module) for module in extras.MODULES[extra])


def test_the_wheel_has_the_one_package_and_its_data(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("pedigree", "pipeline", "steps", "entrypoints"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, source], check=True)
    [wheel] = tmp_path.glob("*.whl")

    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        entry_points = archive.read("pedigree-0.1.0.dist-info/entry_points.txt").decode()
    assert {name.partition("/")[0] for name in names} == {"pedigree", "pedigree-0.1.0.dist-info"}
    assert {"pedigree/py.typed", "pedigree/account/prices.toml"} <= names
    assert entry_points == "[console_scripts]\npedigree = pedigree.cli.main:main\n"


@pytest.mark.parametrize("group", [verbs.GROUP, "pedigree.project"])
def test_every_entry_point_of_the_project_leads_to_something(group: str) -> None:
    for value in PROJECT["entry-points"][group].values():
        module, _, attribute = value.partition(":")
        assert hasattr(importlib.import_module(module), attribute), value
