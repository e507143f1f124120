"""Metric math: arithmetic, comparisons, AND, OR, IF and a few functions over the numbers of one period.

It is written nearly as Python is, so that Python's parser reads it; what is not listed here is refused.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeAlias

Number: TypeAlias = float | None
"""None is a number that is missing."""


class MetricMathError(ValueError):
    """An expression that is not understood."""


def value(text: str, numbers: Mapping[str, Number]) -> Number:
    """What an expression comes to; None where it needs a number that is missing."""
    return _of(_parsed(text), numbers)


@cache
def _parsed(text: str) -> ast.expr:
    written = re.sub(r"\bAND\b|&&", " and ", re.sub(r"\bOR\b|\|\|", " or ", text)).replace("^", "**")
    try:
        return ast.parse(written.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise MetricMathError(f"{text} is no expression of metric math") from None


def _of(node: ast.expr, numbers: Mapping[str, Number]) -> Number:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return float(node.value)
    if isinstance(node, ast.Name):
        return _named(node.id, numbers)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return _called(node.func.id, node.args, numbers)
    if isinstance(node, ast.BoolOp):
        told = [_of(one, numbers) for one in node.values]
        return float(all(told) if isinstance(node.op, ast.And) else any(told))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _apply(operator.neg, _of(node.operand, numbers))
    return _binary(node, numbers)


def _binary(node: ast.expr, numbers: Mapping[str, Number]) -> Number:
    if isinstance(node, ast.BinOp):
        kind: type[ast.AST] = type(node.op)
        sides = node.left, node.right
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        kind = type(node.ops[0])
        sides = node.left, node.comparators[0]
    else:
        raise MetricMathError(f"metric math has no {type(node).__name__} here")
    if kind not in _OPERATORS:
        raise MetricMathError(f"metric math has no {kind.__name__} here")
    return _apply(_OPERATORS[kind], *(_of(one, numbers) for one in sides))


def _named(name: str, numbers: Mapping[str, Number]) -> Number:
    if name not in numbers:
        raise MetricMathError(f"{name} is no metric of the alarm")
    return numbers[name]


def _called(name: str, arguments: list[ast.expr], numbers: Mapping[str, Number]) -> Number:
    known = name.upper()
    if known == "IF" and len(arguments) in (2, 3):
        chosen = arguments[1] if _of(arguments[0], numbers) else arguments[2] if len(arguments) > 2 else None
        return None if chosen is None else _of(chosen, numbers)
    if known == "FILL" and len(arguments) == 2:
        found = _of(arguments[0], numbers)
        return _of(arguments[1], numbers) if found is None else found
    if known not in _FUNCTIONS or not arguments:
        raise MetricMathError(f"metric math has no {name} of {len(arguments)} here")
    return _apply(_FUNCTIONS[known], *(_of(one, numbers) for one in _flat(arguments)))


def _flat(arguments: list[ast.expr]) -> list[ast.expr]:
    """Several metrics may be handed over in brackets."""
    return [inner for one in arguments for inner in (one.elts if isinstance(one, (ast.List, ast.Tuple)) else [one])]


def _apply(function: Callable[..., float], *operands: Number) -> Number:
    if any(one is None for one in operands):
        return None
    try:
        made = float(function(*operands))
    except (ZeroDivisionError, OverflowError, ValueError, TypeError):
        return None
    return made if math.isfinite(made) else None


_OPERATORS: Mapping[type[ast.AST], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "ABS": abs,
    "CEIL": math.ceil,
    "FLOOR": math.floor,
    "SUM": lambda *numbers: sum(numbers),
    "AVG": lambda *numbers: sum(numbers) / len(numbers),
    "MAX": lambda *numbers: max(numbers),
    "MIN": lambda *numbers: min(numbers),
}
