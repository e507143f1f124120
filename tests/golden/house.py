"""The house in docs/architecture.md, drawn and listed from the code itself, so that neither can drift from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from pedigree.diagram.picture import Box, Picture
from pedigree.diagram.svg import svg
from pedigree.language.graph import Edge, without_shortcuts
from tests.structure import Module, arrows, read, rooms_of_house, rooms_of_local_aws

START, END = "<!-- packages -->", "<!-- end of packages -->"


def texts(root: Path) -> Mapping[Path, str]:
    """The pictures, and the page with its list of packages, by file."""
    modules = read(root)
    page = root / "docs" / "architecture.md"
    written = page.read_text(encoding="utf-8")
    before, _, rest = written.partition(START)
    after = rest.partition(END)[2]
    return {
        page: f"{before}{START}\n\n{_listed(modules)}\n{END}{after}",
        root / "docs" / "house.svg": _drawn(modules, rooms_of_house, "The folders, and what each imports"),
        root / "docs" / "localaws.svg": _drawn(
            modules, rooms_of_local_aws, "The folders of the local AWS, and what each imports"
        ),
    }


def _listed(modules: Iterable[Module]) -> str:
    """One line a package: the first line of its docstring."""
    packages = {module.path.parent: module for module in modules if module.path.name == "__init__.py"}
    rows = (f"| `{folder}/` | {module.first_line()} |" for folder, module in sorted(packages.items()))
    return "\n".join(["| package | what it is for |", "|---|---|", *rows, ""])


def _drawn(modules: Iterable[Module], room: Callable[[Module], str | None], title: str) -> str:
    modules = list(modules)
    graph = arrows(modules, room)
    rooms = sorted({*graph, *(end for ends in graph.values() for end in ends)})
    boxes = tuple(Box(_label(name), "", "", ()) for name in rooms)
    edges = [Edge(_label(start), _label(end), "data") for start, ends in graph.items() for end in ends]
    return svg(Picture(boxes, tuple(without_shortcuts(edges))), title)


def _label(room: str) -> str:
    """A folder's path; a module's own name."""
    return room if "/" in room else room.rpartition(".")[2]
