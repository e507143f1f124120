"""The options that a script accepts, read from its argparse calls in the syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from pedigree.checks.printed_lines import syntax_tree


@dataclass(frozen=True)
class ScriptOption:
    """One --option of a script; the type is the name of a Python type."""

    name: str
    required: bool
    type: str
    choices: tuple[Any, ...] = ()

    def accepts(self, text: str) -> bool:
        """Whether argparse takes a text for this option."""
        convert = {"int": int, "float": float}.get(self.type)
        try:
            value: Any = convert(text) if convert else text
        except ValueError:
            return False
        return not self.choices or value in self.choices


def script_options(scripts: Mapping[str, str], program: str) -> list[ScriptOption] | None:
    """The options of a script and of the given modules that it imports; None where they cannot be determined."""
    options: list[ScriptOption] = []
    for source in _sources(scripts, program):
        for method, call in _method_calls(source):
            if method == "parse_known_args":
                return None
            if method == "add_argument":
                option = _option(call)
                if option is None:
                    return None
                options += [option] if option.name else []
    return options or None


def _sources(scripts: Mapping[str, str], program: str) -> Iterator[str]:
    by_module = {str(PurePosixPath(name).with_suffix("")).replace("/", "."): name for name in scripts}
    to_read, visited = [program], set()
    while to_read:
        name = to_read.pop()
        tree = syntax_tree(scripts[name]) if name in scripts and name not in visited else None
        visited.add(name)
        if tree:
            yield scripts[name]
            to_read += [by_module[module] for module in _imports(tree) if module in by_module]


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _method_calls(source: str) -> Iterator[tuple[str, ast.Call]]:
    tree = syntax_tree(source)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr, node


def _option(call: ast.Call) -> ScriptOption | None:
    """The option; its name is empty for a positional argument. None where the name is computed at run time."""
    names = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    if len(names) != len(call.args) or not names or None in keywords:
        return None
    flags = [name.lstrip("-") for name in names if name.startswith("--")]
    kind, required = keywords.get("type"), keywords.get("required")
    return ScriptOption(
        flags[0] if flags else "",
        isinstance(required, ast.Constant) and required.value is True,
        kind.id if isinstance(kind, ast.Name) else "",
        _choices(keywords.get("choices")),
    )


def _choices(node: ast.expr | None) -> tuple[Any, ...]:
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)) and all(isinstance(item, ast.Constant) for item in node.elts):
        return tuple(item.value for item in node.elts if isinstance(item, ast.Constant))
    return ()
