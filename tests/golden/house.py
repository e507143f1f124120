"""The house in docs/architecture.md, drawn and listed from the code itself, so that neither can drift from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from pedigree.diagram.picture import Box, Picture
from pedigree.diagram.svg import svg
from pedigree.language.graph import Edge, without_shortcuts
from tests.structure import Module, arrows, read, rooms_of_house, rooms_of_local_aws

ROOT = Path(__file__).parents[2]
START, END = "<!-- packages -->", "<!-- end of packages -->"


@cache
def _modules() -> list[Module]:
    return read(ROOT)


def page() -> str:
    """docs/architecture.md with its list of packages."""
    written = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    before, _, rest = written.partition(START)
    return f"{before}{START}\n\n{_listed(_modules())}\n{END}{rest.partition(END)[2]}"


def house() -> str:
    """The folders of the house, and what each imports."""
    return _drawn(_modules(), _folder_of_house, "The folders, and what each imports")


def local_aws() -> str:
    """The folders of the local AWS, and what each imports."""
    return _drawn(_modules(), rooms_of_local_aws, "The folders of the local AWS, and what each imports")


def _listed(modules: Iterable[Module]) -> str:
    """One line a package: the first line of its docstring."""
    packages = {module.path.parent: module for module in modules if module.path.name == "__init__.py"}
    rows = (f"| `{folder}/` | {module.first_line()} |" for folder, module in sorted(packages.items()))
    return "\n".join(["| package | what it is for |", "|---|---|", *rows, ""])


def _folder_of_house(module: Module) -> str | None:
    """Folders only: the modules beside the folders of pedigree/ are a few lines that everything imports."""
    room = rooms_of_house(module)
    if "/" in room:
        return room
    top = room.partition(".")[0]
    return None if top == "pedigree" else top


def _drawn(modules: Iterable[Module], room: Callable[[Module], str | None], title: str) -> str:
    modules = list(modules)
    graph = arrows(modules, room)
    rooms = sorted({*graph, *(end for ends in graph.values() for end in ends)})
    boxes = tuple(Box(_label(name), "", "", ()) for name in rooms)
    pairs = sorted((start, end) for start, ends in graph.items() for end in ends)
    edges = [Edge(_label(start), _label(end), "data") for start, end in pairs]
    return svg(Picture(boxes, tuple(without_shortcuts(edges))), title)


def _label(room: str) -> str:
    """A folder's path; a module's own name."""
    return room if "/" in room else room.rpartition(".")[2]
