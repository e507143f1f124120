"""The lines that scripts can print, read from their syntax trees. No script is run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache

from pedigree.checks.sample_lines import compile_regex, sample_line

_VALUE = "1e-05"
_HOLE = "\0"
_LONGEST = 500
_FORMAT_FIELD = re.compile(r"\{[^{}]*\}|%[-+#0]*\d*(?:\.\d+)?[sdifgeEGr]")


def can_print(scripts: Mapping[str, str], regex: str) -> bool:
    """Whether the scripts can print a line that a regex matches; NoSampleError if that cannot be decided."""
    sample = sample_line(regex, _VALUE)
    pattern = compile_regex(regex)
    for source in scripts.values():
        for template in _templates(source):
            fixed = [re.escape(part) for part in template.split(_HOLE)]
            if pattern and pattern.search(template.replace(_HOLE, _VALUE)):
                return True
            if re.fullmatch(".*".join(fixed), sample):
                return True
    return False


@cache
def syntax_tree(source: str) -> ast.Module | None:
    """The syntax tree of a script, None if it cannot be parsed."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return None


@cache
def _templates(source: str) -> tuple[str, ...]:
    """The texts of a script, with a hole for each value that is formatted into them; texts without a letter are not
    lines of a log.
    """
    tree = syntax_tree(source)
    templates = (_template(node) for node in ast.walk(tree)) if tree else ()
    return tuple(dict.fromkeys(text for text in templates if len(text) < _LONGEST and re.search(r"[A-Za-z]", text)))


def _template(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_parts(node))
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _FORMAT_FIELD.sub(_HOLE, node.value)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
        return " ".join(_template(argument) or _HOLE for argument in node.args)
    return ""


def _parts(node: ast.JoinedStr) -> Iterator[str]:
    for value in node.values:
        yield str(value.value) if isinstance(value, ast.Constant) else _HOLE
