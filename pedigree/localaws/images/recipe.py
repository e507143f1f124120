"""Recipes: which environment stands for which images, as data. Pure; environments.py builds what they say.

A recipe is a table in a TOML file:

    [[recipe]]
    name = "trainer"                                         # how it is called
    images = ["123456789012.dkr.ecr.*.amazonaws.com/trainer:*"]    # patterns; the registry may be left out
    packages = ["scikit-learn==1.9.1", "pandas"]             # for pip; or like = "pytorch", or environment = "FOLDER"
    requirements = "requirements.txt"                        # a file of packages, too
    python = "3.12"                                          # if this machine has it
    variables = { MODE = "fast" }                            # the image's own environment variables
    train = ["python", "/opt/program/train"]                 # what a training job without a command runs
    needs = ["java"]                                         # programs that this machine must have

In place of packages, a recipe may name the image's Dockerfile:

    dockerfile = "docker/Dockerfile"                         # of the simple form (dockerfile.py)
    folder = "."                                             # what it copies from; else the Dockerfile's own folder
    arguments = { REGION = "eu-west-1" }                     # the values of its ARGs
    skip = ["RUN curl *"]                                    # patterns of what is not followed

An image that an engine shall run itself needs no more than that:

    engine = "docker"                                        # or podman, nerdctl, finch, auto; none: never
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pedigree.localaws.engine.command_lines import CHOICES, NONE
from pedigree.localaws.images.dockerfile import CopiedFile
from pedigree.localaws.images.errors import RecipeError
from pedigree.localaws.images.package_lists import merged
from pedigree.toml import tomllib

_REGISTRY = re.compile(r"^[\w-]+(?:\.[\w-]+)*(?:[.:][\w-]+)+/|^localhost(?::\d+)?/")
_TEXTS = ("name", "python", "script", "algorithm", "serve", "index", "like", "engine")
_LISTS = ("images", "packages", "train", "needs", "differences", "skip")
_PATHS = ("environment", "requirements", "dockerfile", "folder")
_TABLES = ("variables", "arguments", "commands")
_MEMBERS = (*_TEXTS, *_LISTS, *_PATHS, *_TABLES)
_DOCKERFILE = "Dockerfile"
NO_PACKAGES = "an environment that is there gets no packages"


@dataclass(frozen=True)
class Recipe:
    """What stands for some images: a Python with packages, or an environment that is there; and the image's programs.

    script starts a training script, algorithm trains without one, serve has the defaults of a model's functions: each
    names a program of ours (programs/), or one of the environment if it begins with bin/. commands has the programs of
    ours that stand for commands of the image. The members from files on are what the Dockerfile says, once it is
    followed.
    """

    name: str
    images: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    requirements: Path | None = None
    environment: Path | None = None
    python: str = ""
    index: str = ""
    script: str = ""
    algorithm: str = ""
    serve: str = ""
    train: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)
    differences: tuple[str, ...] = ()
    dockerfile: Path | None = None
    folder: Path | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)
    skip: tuple[str, ...] = ()
    engine: str = ""
    files: tuple[CopiedFile, ...] = ()
    folders: tuple[str, ...] = ()
    working_folder: str = ""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()

    def pattern_of(self, image: str) -> str:
        """The pattern that an image matches; empty if none does."""
        names = spellings(image)
        return next((pattern for pattern in self.images if any(fnmatch.fnmatchcase(n, pattern) for n in names)), "")


def spellings(image: str) -> tuple[str, str]:
    """How patterns may name an image: in full, and without its registry; a tag is always there."""
    whole = image if re.search(r"[:@][^/]*$", image) else f"{image}:latest"
    return whole, _REGISTRY.sub("", whole)


def parse(text: str, file: str, base: Sequence[Recipe] = (), folder: Path = Path()) -> tuple[Recipe, ...]:
    """Read recipes; `like` takes what is left out from one above it or in base, paths are relative to a folder."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{file} is no TOML file: {error}", "see docs/images.md for its form") from None
    if unknown := document.keys() - {"recipe"}:
        raise RecipeError(f"{file}: {min(unknown)} is not known", "write tables with the name [[recipe]]")
    tables = document.get("recipe", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise RecipeError(f"{file}: recipe is no list of tables", "write [[recipe]] above each")
    recipes: list[Recipe] = []
    for number, table in enumerate(tables, 1):
        recipes.append(_recipe(table, f"{file}: recipe {number}", (*base, *recipes), folder))
    return tuple(recipes)


def _recipe(table: Mapping[str, Any], place: str, base: Sequence[Recipe], folder: Path) -> Recipe:
    if problem := next(_problems(table), ""):
        raise RecipeError(f"{place}: {problem}", f"its members are {', '.join(_MEMBERS)}")
    members: dict[str, Any] = {name: tuple(value) if name in _LISTS else value for name, value in table.items()}
    like = members.pop("like", "")
    members |= {name: folder / Path(table[name]).expanduser() for name in _PATHS if name in table}
    if "folder" in members:
        members.setdefault("dockerfile", members["folder"] / _DOCKERFILE)
    if not like:
        return Recipe(**members)
    known = {recipe.name: recipe for recipe in base}
    if like not in known:
        raise RecipeError(f"{place}: there is no recipe {like}", f"there are {', '.join(known)}")
    above = known[like]
    if above.environment and members.get("packages"):
        raise RecipeError(f"{place}: {NO_PACKAGES}", f"install them into {above.environment}")
    packages = merged(above.packages, members.pop("packages", ()))
    return replace(above, **{"differences": (), **members, "packages": packages})


def _problems(table: Mapping[str, Any]) -> Iterator[str]:
    if unknown := table.keys() - set(_MEMBERS):
        yield f"{min(unknown)} is not known"
    yield from (f"it has no {name}" for name in ("name", "images") if not table.get(name))
    yield from (f"{name} is no text" for name in (*_TEXTS, *_PATHS) if not isinstance(table.get(name, ""), str))
    yield from (f"{name} is no list of texts" for name in _LISTS if not _are_texts(table.get(name, [])))
    if table.get("engine", NONE) not in CHOICES:
        yield f"engine is none of {', '.join(CHOICES)}"
    yield from (f"{name} is no table of texts" for name in _TABLES if not _is_table(table.get(name, {})))
    has_dockerfile = bool(table.get("dockerfile") or table.get("folder"))
    if has_dockerfile and (taken := [name for name in ("environment", "like", "requirements") if name in table]):
        yield f"its Dockerfile says what {taken[0]} says"
    if not has_dockerfile and (alone := [name for name in ("arguments", "skip") if name in table]):
        yield f"{alone[0]} is for a Dockerfile, and it has none"
    if table.get("environment") and (table.get("packages") or table.get("requirements")):
        yield NO_PACKAGES


def _is_table(value: object) -> bool:
    return isinstance(value, dict) and _are_texts(list(value.values()))


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
