"""The verbs of the command line: those of pedigree itself, and those that installed projects add.

A project adds a verb by an entry point of the group pedigree.commands: its name is the verb, its value a function with
typer's annotations or a typer.Typer. Only the verb that is called is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

GROUP = "pedigree.commands"
Load = Callable[[], Any]

# In the order of --help: module and attribute of each.
OWN: Mapping[str, tuple[str, str]] = {
    "check": ("pedigree.cli.check", "command"),
    "graph": ("pedigree.cli.graph", "command"),
    "diff": ("pedigree.cli.diff", "command"),
    "start": ("pedigree.cli.start", "command"),
    "status": ("pedigree.cli.status", "command"),
    "stop": ("pedigree.cli.executions", "stop"),
    "retry": ("pedigree.cli.executions", "retry"),
    "executions": ("pedigree.cli.executions", "listing"),
    "logs": ("pedigree.cli.logs", "command"),
    "local": ("pedigree.cli.local", "app"),
}


def find(verb: str) -> Load | None:
    """What imports the verb, or None if there is no such verb."""
    if verb in OWN:
        return _own(verb)
    entry_point = added().get(verb)
    return entry_point.load if entry_point else None


def all_verbs() -> Iterator[tuple[str, Load]]:
    """Every verb with what imports it: pedigree's own first, then those of projects by name."""
    yield from ((verb, _own(verb)) for verb in OWN)
    yield from ((name, entry_point.load) for name, entry_point in sorted(added().items()))


def added() -> dict[str, EntryPoint]:
    """The verbs of installed projects."""
    return {entry_point.name: entry_point for entry_point in entry_points(group=GROUP) if entry_point.name not in OWN}


def _own(verb: str) -> Load:
    module, attribute = OWN[verb]
    return lambda: getattr(import_module(module), attribute)
