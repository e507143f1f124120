"""Measures a checkout: lengths of modules and functions, class names used twice, circles of folders.

    python -m tests.structure [CHECKOUT ...]              a table with a row a checkout, and one of its folders
    python -m tests.structure --docstrings 20 --seed 7    so many docstrings of functions and classes, drawn by a seed

Only production code counts: what git knows outside of tests/ and benchmarks/.
"""

from __future__ import annotations

import argparse
import ast
import random
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

_ASIDE = ("tests", "benchmarks", "requirements", "set_up.py")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_ROOMY = (("pedigree",), ("pipeline",))
Arrows = Mapping[str, Mapping[str, int]]
Room = Callable[["Module"], str | None]


@dataclass(frozen=True)
class Module:
    """A file of Python, read."""

    path: PurePosixPath
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def name(self) -> str:
        """Its dotted name, as imports spell it."""
        parts = self.path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    def first_line(self) -> str:
        """The first line of its docstring."""
        return (ast.get_docstring(self.tree) or "").partition("\n")[0]

    def function_lines(self) -> Iterator[int]:
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield (node.end_lineno or node.lineno) - node.lineno + 1

    def class_names(self) -> Iterator[str]:
        return (node.name for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))

    def docstrings(self) -> Iterator[tuple[str, str]]:
        """Where each function or class with a docstring stands, and its first line."""
        for node in ast.walk(self.tree):
            if isinstance(node, _DEFINITIONS) and (text := ast.get_docstring(node)):
                yield f"{self.path}:{node.name}", text.splitlines()[0]

    def imports(self) -> Iterator[str]:
        """All dotted names that it could import, inside functions too."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
                yield node.module
            elif isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)


def read(checkout: Path) -> list[Module]:
    """The production modules of a checkout."""
    command = ["git", "-C", str(checkout), "ls-files", "-z", "*.py"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
    paths = [PurePosixPath(name) for name in names if name and (checkout / name).exists()]
    return [Module(path, (checkout / path).read_text("utf-8")) for path in paths if path.parts[0] not in _ASIDE]


def repeated_class_names(modules: Iterable[Module]) -> dict[str, list[str]]:
    """Public class names that are defined in more than one module, with these modules."""
    homes: dict[str, list[str]] = defaultdict(list)
    for module in modules:
        for name in set(module.class_names()):
            if not name.startswith("_"):
                homes[name].append(str(module.path))
    return {name: paths for name, paths in homes.items() if len(paths) > 1}


def rooms_of_house(module: Module) -> str:
    """The folder at the top, or the one in pedigree/ or pipeline/; a module beside these stands for itself."""
    folders = module.path.parts[:-1]
    if folders[:1] in _ROOMY:
        return "/".join(folders[:2]) if len(folders) > 1 else module.name
    return folders[0] if folders else module.name


def rooms_of_local_aws(module: Module) -> str | None:
    """A folder of the local AWS, a service, or a part of SageMaker; a module beside these stands for itself."""
    folders = module.path.parts[:-1]
    if "localaws" not in folders:
        return None
    inside = folders[folders.index("localaws") + 1 :]
    depth = 3 if inside[:2] == ("services", "sagemaker") else 2 if inside[:1] == ("services",) else 1
    return "/".join(inside[:depth]) if len(inside) >= depth else module.name


def folders(modules: Sequence[Module]) -> Callable[[Module], str]:
    """Every folder; a module beside folders stands for itself."""
    parents = {module.path.parent.parent for module in modules}

    def room(module: Module) -> str:
        return module.name if module.path.parent in parents else str(module.path.parent)

    return room


def arrows(modules: Iterable[Module], room: Room) -> Arrows:
    """Which room imports from which other, and in how many lines."""
    homes = {module.name: home for module in modules if (home := room(module)) is not None}
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for module in modules:
        targets = {name for name in module.imports() if name in homes} if module.name in homes else set()
        for target in targets:
            start, end = homes[module.name], homes[target]
            if start != end:
                found[start][end] += 1
    return found


def circles(graph: Arrows) -> list[list[str]]:
    """Folders that import each other, around however many corners; each circle once."""
    reach = {folder: _reachable(graph, folder) for folder in graph}
    found = {
        frozenset(other for other in reached if folder in reach.get(other, ())) for folder, reached in reach.items()
    }
    return sorted(sorted(circle) for circle in found if circle)


def _reachable(graph: Arrows, start: str) -> set[str]:
    reached: set[str] = set()
    waiting = list(graph.get(start, ()))
    while waiting:
        folder = waiting.pop()
        if folder not in reached:
            reached.add(folder)
            waiting.extend(graph.get(folder, ()))
    return reached


def all_arrows(modules: Sequence[Module]) -> Mapping[str, Arrows]:
    """The arrows of the whole house, of the local AWS, and of all folders."""
    rooms: Mapping[str, Room] = {
        "the house": rooms_of_house,
        "the local AWS": rooms_of_local_aws,
        "all": folders(modules),
    }
    return {what: arrows(modules, room) for what, room in rooms.items()}


def arrows_up(graph: Arrows) -> list[tuple[str, str]]:
    """Arrows that must go so that all others point down: in each circle the thinnest, until there is no circle."""
    left = {start: dict(ends) for start, ends in graph.items()}
    removed: list[tuple[str, str]] = []
    while found := circles(left):
        inside = [(start, end) for start in found[0] for end in left.get(start, ()) if end in found[0]]
        start, end = min(inside, key=lambda arrow: (left[arrow[0]][arrow[1]], arrow))
        del left[start][end]
        removed.append((start, end))
    return removed


def _row(checkout: Path, modules: list[Module]) -> str:
    lengths = [module.lines for module in modules]
    functions = sorted(length for module in modules for length in module.function_lines())
    classes = {name for module in modules for name in module.class_names() if not name.startswith("_")}
    figures = (
        str(len(modules)),
        f"{sum(lengths):,}",
        f"{statistics.median(lengths):.0f} / {max(lengths)}",
        f"{statistics.median(functions):.0f} / {functions[len(functions) * 95 // 100]} / {functions[-1]}",
        f"{len(repeated_class_names(modules))} of {len(classes)}",
    )
    return f"| {checkout} | {' | '.join(figures)} |"


def _folders_row(checkout: Path, what: str, graph: Arrows) -> str:
    count = sum(len(ends) for ends in graph.values())
    return f"| {checkout} | {what} | {count} | {len(circles(graph))} | {len(arrows_up(graph))} |"


def table(checkouts: Iterable[Path]) -> Iterator[str]:
    """The lines of both tables, in Markdown."""
    read_in = {checkout: read(checkout) for checkout in checkouts}
    yield "| checkout | modules | lines | module median / max | function median / p95 / max | class names used twice |"
    yield "|---|---|---|---|---|---|"
    yield from (_row(checkout, modules) for checkout, modules in read_in.items())
    yield ""
    yield "| checkout | folders of | arrows | circles | arrows up |"
    yield "|---|---|---|---|---|"
    for checkout, modules in read_in.items():
        for what, graph in all_arrows(modules).items():
            yield _folders_row(checkout, what, graph)
    for checkout, modules in read_in.items():
        for what, graph in all_arrows(modules).items():
            yield from (f"{checkout}, {what}: circle of {', '.join(circle)}" for circle in circles(graph))


def main(arguments: list[str] | None = None) -> int:
    """Print the requested table."""
    parser = argparse.ArgumentParser(prog="python -m tests.structure", description="Measure the code of a checkout.")
    parser.add_argument("checkouts", nargs="*", type=Path, default=[Path()])
    parser.add_argument("--docstrings", type=int, default=0, metavar="COUNT", help="print so many docstrings instead")
    parser.add_argument("--seed", type=int, default=0, help="which docstrings are drawn")
    options = parser.parse_args(arguments)
    if options.docstrings:
        for checkout in options.checkouts:
            found = sorted(pair for module in read(checkout) for pair in module.docstrings())
            drawn = random.Random(options.seed).sample(found, options.docstrings)
            sys.stdout.writelines(f"{place}: {text}\n" for place, text in drawn)
        return 0
    sys.stdout.writelines(f"{line}\n" for line in table(options.checkouts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
