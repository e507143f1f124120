"""What a script accepts, read from its argparse calls in the syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from pedigree.checks.logs import parsed


@dataclass(frozen=True)
class Option:
    """An option of a script."""

    name: str
    required: bool
    type: str
    choices: tuple[Any, ...] = ()


def options(scripts: Mapping[str, str], program: str) -> list[Option] | None:
    """The options of a script and of the modules of ours that it imports; None where they cannot be known."""
    found: list[Option] = []
    sources = list(_sources(scripts, program))
    for source in sources:
        for call in _calls(source):
            if call.func.attr == "parse_known_args":  # type: ignore[attr-defined]  # _calls yields methods only
                return None
            if call.func.attr == "add_argument":  # type: ignore[attr-defined]
                option = _option(call)
                if option is None:
                    return None
                found += [option] if option.name else []
    return found or None


def accepts(option: Option, value: str) -> bool:
    """Whether argparse would take a text for an option."""
    kind = {"int": int, "float": float}.get(option.type)
    try:
        converted: Any = kind(value) if kind else value
    except ValueError:
        return False
    return not option.choices or converted in option.choices


def _sources(scripts: Mapping[str, str], program: str) -> Iterator[str]:
    by_module = {str(PurePosixPath(name).with_suffix("")).replace("/", "."): name for name in scripts}
    waiting, seen = [program], set()
    while waiting:
        name = waiting.pop()
        tree = parsed(scripts[name]) if name in scripts and name not in seen else None
        seen.add(name)
        if tree:
            yield scripts[name]
            waiting += [by_module[one] for one in _imports(tree) if one in by_module]


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)


def _calls(source: str) -> Iterator[ast.Call]:
    tree = parsed(source)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node


def _option(call: ast.Call) -> Option | None:
    """An option; without a name for a positional one, None where its name is made at run time."""
    names = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    if len(names) != len(call.args) or not names:
        return None
    flags = [name.lstrip("-") for name in names if name.startswith("--")]
    settings = {one.arg: one.value for one in call.keywords}
    if None in settings:
        return None
    kind = settings.get("type")
    required = settings.get("required")
    return Option(
        flags[0] if flags else "",
        isinstance(required, ast.Constant) and required.value is True,
        kind.id if isinstance(kind, ast.Name) else "",
        _choices(settings.get("choices")),
    )


def _choices(node: ast.expr | None) -> tuple[Any, ...]:
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)) and all(isinstance(one, ast.Constant) for one in node.elts):
        return tuple(one.value for one in node.elts if isinstance(one, ast.Constant))
    return ()
