"""Metric math: arithmetic, comparisons, AND, OR, IF and a few functions over the values of one period.

Its syntax is close to Python's, so Python's parser reads it; everything that is not listed here is refused.
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
"""None stands for missing data."""


class MetricMathError(ValueError):
    """An expression that is malformed or not supported."""


def evaluate(expression: str, values: Mapping[str, Number]) -> Number:
    """Return the value of an expression, or None if it needs missing data."""
    return _evaluate(_parse(expression), values)


@cache
def _parse(expression: str) -> ast.expr:
    python = re.sub(r"\bAND\b|&&", " and ", re.sub(r"\bOR\b|\|\|", " or ", expression)).replace("^", "**")
    try:
        return ast.parse(python.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise MetricMathError(f"{expression} is not an expression of metric math") from None


def _evaluate(node: ast.expr, values: Mapping[str, Number]) -> Number:
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return float(node.value)
    if isinstance(node, ast.Name):
        return _metric(node.id, values)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return _call(node.func.id, node.args, values)
    if isinstance(node, ast.BoolOp):
        operands = [_evaluate(operand, values) for operand in node.values]
        return float(all(operands) if isinstance(node.op, ast.And) else any(operands))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _apply(operator.neg, _evaluate(node.operand, values))
    return _binary(node, values)


def _binary(node: ast.expr, values: Mapping[str, Number]) -> Number:
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
    return _apply(_OPERATORS[kind], *(_evaluate(side, values) for side in sides))


def _metric(name: str, values: Mapping[str, Number]) -> Number:
    if name not in values:
        raise MetricMathError(f"{name} is not a metric of the alarm")
    return values[name]


def _call(name: str, arguments: list[ast.expr], values: Mapping[str, Number]) -> Number:
    function = name.upper()
    if function == "IF" and len(arguments) in (2, 3):
        chosen = arguments[1] if _evaluate(arguments[0], values) else arguments[2] if len(arguments) > 2 else None
        return None if chosen is None else _evaluate(chosen, values)
    if function == "FILL" and len(arguments) == 2:
        value = _evaluate(arguments[0], values)
        return _evaluate(arguments[1], values) if value is None else value
    if function not in _FUNCTIONS or not arguments:
        raise MetricMathError(f"metric math has no {name} with {len(arguments)} arguments here")
    return _apply(_FUNCTIONS[function], *(_evaluate(argument, values) for argument in _flatten(arguments)))


def _flatten(arguments: list[ast.expr]) -> list[ast.expr]:
    """Replace arguments in brackets by their items."""
    return [
        item
        for argument in arguments
        for item in (argument.elts if isinstance(argument, (ast.List, ast.Tuple)) else [argument])
    ]


def _apply(function: Callable[..., float], *operands: Number) -> Number:
    if any(operand is None for operand in operands):
        return None
    try:
        result = float(function(*operands))
    except (ZeroDivisionError, OverflowError, ValueError, TypeError):
        return None
    return result if math.isfinite(result) else None


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
    "SUM": lambda *values: sum(values),
    "AVG": lambda *values: sum(values) / len(values),
    "MAX": lambda *values: max(values),
    "MIN": lambda *values: min(values),
}
