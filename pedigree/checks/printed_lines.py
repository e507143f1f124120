"""What scripts can print, read from their syntax trees: nothing of them is run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache

from pedigree.checks.samples import compiled, line

_VALUE = "1e-05"
_HOLE = "\0"
_FIELD = re.compile(r"\{[^{}]*\}|%[-+#0]*\d*(?:\.\d+)?[sdifgeEGr]")


def could_print(scripts: Mapping[str, str], regex: str) -> bool:
    """Whether one of the lines that scripts can print matches an expression; UntriableError if nobody can say."""
    made = line(regex, _VALUE)
    pattern = compiled(regex)
    for source in scripts.values():
        for template in _templates(source):
            fixed = [re.escape(part) for part in template.split(_HOLE)]
            if pattern and pattern.search(template.replace(_HOLE, _VALUE)):
                return True
            if re.fullmatch(".*".join(fixed), made):
                return True
    return False


@cache
def _templates(source: str) -> tuple[str, ...]:
    """Every text of a script with holes where values come in; those without a letter say nothing."""
    tree = parsed(source)
    found = (_template(node) for node in ast.walk(tree)) if tree else ()
    return tuple(dict.fromkeys(one for one in found if one and len(one) < 500 and re.search(r"[A-Za-z]", one)))


@cache
def parsed(source: str) -> ast.Module | None:
    """The syntax tree of a script, None where it has none."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _template(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_parts(node))
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _FIELD.sub(_HOLE, node.value)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
        return " ".join(_template(one) or _HOLE for one in node.args)
    return ""


def _parts(node: ast.JoinedStr) -> Iterator[str]:
    for one in node.values:
        yield str(one.value) if isinstance(one, ast.Constant) else _HOLE
