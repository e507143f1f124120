"""The documents name only commands, parameters, dependencies and files that exist."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest

from pedigree.toml import tomllib
from pipeline.settings.parameters import declare
from pipeline.settings.tree import Settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def by_name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", DOCUMENTS, ids=by_name)
def test_links_lead_to_files_that_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)\)|src=\"([^\"]+)\"", text)
    missing = [
        target
        for pair in targets
        for target in pair
        if target and "://" not in target and not (path.parent / target).exists()
    ]
    assert not missing


@pytest.mark.parametrize("path", DOCUMENTS, ids=by_name)
def test_make_targets_are_in_the_makefile(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = re.findall(r"(?:^|`|\s)make ([a-z-]+)(?=[\s`])", "\n".join(code(path)), re.MULTILINE)
    assert not [verb for verb in commands if not re.search(rf"^{verb}:.*## ", makefile, re.MULTILINE)]


def code(path: Path) -> list[str]:
    """The code of a document: blocks and spans."""
    text = path.read_text(encoding="utf-8")
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL) + [
        f"`{name}`" for name in re.findall(r"(?<!`)`([^`\n]+)`", text)
    ]


def test_the_readme_names_every_parameter_with_its_type() -> None:
    rows = dict(re.findall(r"^\| ([A-Za-z, ]+) \| ([A-Za-z, ]+) \|", README, re.MULTILINE))
    named = {
        name: kind
        for names, kinds in rows.items()
        if names != "parameter"
        for name, kind in zip(names.split(", "), (kinds.split(", ") * 3), strict=False)
    }
    types = {str: "String", int: "Integer", float: "Float"}
    assert named == {parameter.name: types[type(parameter.default)] for parameter in declare(Settings())}


def test_every_dependency_has_its_reason() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    own = [config["options"]["install_requires"], *config["options.extras_require"].values()]
    project = tomllib.loads((ROOT / "pipeline" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = [name for names in project["optional-dependencies"].values() for name in names]
    required = [*"\n".join(own).split("\n"), *project["dependencies"], *optional]
    names = {re.split(r"[\[<>=; ]", line)[0] for line in required if line and line[0] != "#"} - {"pedigree"}
    table = ARCHITECTURE.partition("## Dependencies")[2]
    named = {name for row in re.findall(r"^\| ([a-z0-9, -]+) \|", table, re.MULTILINE) for name in row.split(", ")}
    assert named - {"dependency"} == names


def test_the_architecture_names_every_folder() -> None:
    folders = {
        path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] not in "._" and any(path.glob("**/*.*"))
    }
    assert not {folder for folder in folders if f"{folder}/" not in ARCHITECTURE and "egg-info" not in folder}


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "decisions").iterdir())]
    assert numbers == list(range(1, len(numbers) + 1))
