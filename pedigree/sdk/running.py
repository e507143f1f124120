"""Runs a script in this process as Python would run it, and keeps its names whatever way it ends."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Sequence
from pathlib import Path

from pedigree.sdk.pipelines import EndOfScriptError


def run(path: Path, arguments: Sequence[str], *, is_main: bool) -> types.ModuleType:
    """Runs a script and returns its module; what it raises is raised, but for the regular ends of a script.

    As an imported module, it leaves out what stands below `if __name__ == "__main__"`.
    """
    package = _package(path)
    sys.argv = [str(path), *arguments]
    sys.path[:0] = [str(path.parent.resolve()), str(_root(path, package)), str(Path.cwd())]
    module = types.ModuleType("__main__" if is_main else path.stem)
    module.__file__ = str(path.resolve())
    sys.modules[module.__name__] = module
    module.__package__ = package
    try:
        if package:
            importlib.import_module(package)
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)  # noqa: S102  # the user's own script
    except EndOfScriptError:
        pass  # its regular end: it asked for what only an execution has
    except SystemExit as end:
        if end.code not in (None, 0):
            raise
    return module


def _package(path: Path) -> str:
    """The package that a script is in, by the __init__.py beside it; empty if it is in none."""
    names: list[str] = []
    folder = path.resolve().parent
    while (folder / "__init__.py").exists():
        names.insert(0, folder.name)
        folder = folder.parent
    return ".".join(names)


def _root(path: Path, package: str) -> Path:
    folder = path.resolve().parent
    return folder.parents[package.count(".")] if package else folder
