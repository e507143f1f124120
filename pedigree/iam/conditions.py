"""The conditions of a statement: IAM's operators, each a small function that tests a value.

The forms that every operator has are derived from it: negated, …IfExists, ForAnyValue: and ForAllValues:.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import ipaddress
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pedigree.errors import InvalidValueError
from pedigree.iam.patterns import WildcardStyle, compiled, is_arn, variables_in
from pedigree.iam.request import Context

Test = Callable[[str, Context], bool]
Maker = Callable[[Sequence[str], bool], Test]

_ANY, _ALL = "foranyvalue", "forallvalues"
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")


@dataclass(frozen=True)
class Condition:
    """A key of the request's context, and a test of its values; the name is the key as the policy writes it."""

    name: str
    key: str
    test: Test
    negated: bool
    quantifier: str
    if_exists: bool

    def holds(self, context: Context) -> bool:
        """Whether a request meets the condition; without a quantifier, several values never do."""
        values = context.get(self.key)
        if values is None:
            return self.if_exists or self.quantifier == _ALL or (self.negated and self.quantifier != _ANY)
        if self.quantifier == _ANY:
            return any(self._matches(value, context) for value in values)
        if self.quantifier != _ALL and len(values) > 1:
            return False
        return all(self._matches(value, context) for value in values)

    def _matches(self, value: str, context: Context) -> bool:
        """Whether one value matches; a value of another type, or an unknown one, is neither equal nor unequal."""
        try:
            return self.test(value, context) is not self.negated
        except ValueError:
            return False


@dataclass(frozen=True)
class NullCondition:
    """The Null operator: a key must be missing, or it must exist."""

    name: str
    key: str
    wanted: frozenset[bool]

    def holds(self, context: Context) -> bool:
        return (self.key not in context) in self.wanted


@dataclass(frozen=True)
class _Operator:
    """How an operator makes a test of the wanted texts; typed ones convert the texts, and take no variables."""

    test: Maker
    typed: bool = False


def condition(name: str, key: str, wanted: Sequence[str], *, variables: bool) -> Condition | NullCondition:
    """The condition that an operator makes of a key and texts; InvalidValueError if they are malformed."""
    quantifier, _, rest = name.lower().rpartition(":")
    base = rest.removesuffix("ifexists")
    if rest == "null" and not quantifier:
        return NullCondition(key, key.lower(), frozenset(_truth(text) for text in wanted))
    test_maker = _OPERATORS.get(_NEGATIONS.get(base, base))
    if test_maker is None or quantifier not in ("", _ANY, _ALL):
        raise InvalidValueError(f"has the unknown condition operator {name!r:.80}", "write one like StringEquals")
    if test_maker.typed and any(variables_in(text) for text in wanted):
        raise InvalidValueError(f"has a variable in {name}, which takes none", "write the value itself")
    test, is_negated = test_maker.test(wanted, variables), base in _NEGATIONS
    return Condition(key, key.lower(), test, is_negated, quantifier, rest != base)


def _text(style: WildcardStyle, *, ignore_case: bool = False) -> Maker:
    def test(wanted: Sequence[str], variables: bool) -> Test:
        return compiled(wanted, style, variables=variables, ignore_case=ignore_case).match

    return test


def _arn(wanted: Sequence[str], variables: bool) -> Test:
    patterns = compiled([text for text in wanted if is_arn(text)], WildcardStyle.ARN, variables=variables)

    def matches(value: str, context: Context) -> bool:
        if not is_arn(value):
            raise ValueError(f"{value} is not an ARN")
        return patterns.match(value, context)

    return matches


def _compared(read: Callable[[str], Any], holds: Callable[[Any, Any], bool]) -> _Operator:
    def test(wanted: Sequence[str], _variables: bool) -> Test:
        limits = [read(text) for text in wanted]

        def matches(value: str, _context: Context) -> bool:
            have = read(value)
            return any(holds(have, limit) for limit in limits)

        return matches

    return _Operator(test, typed=True)


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise InvalidValueError(f"has the value {text!r:.80}", "write true or false")
    return text.lower() == "true"


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise InvalidValueError(f"has the value {text!r:.80}", "write a number")
    return float(text)


def _moment(text: str) -> dt.datetime:
    """A date and time of ISO 8601, or seconds since 1970."""
    try:
        if _NUMBER.fullmatch(text):
            return dt.datetime.fromtimestamp(float(text), dt.timezone.utc)
        moment = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError):
        raise InvalidValueError(f"has the value {text!r:.80}", "write a time like 2027-01-31T06:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise InvalidValueError(f"has the value {text!r:.80}", "write base64") from None


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise InvalidValueError(
            f"has the value {text!r:.80}", "write an address or a network like 10.0.0.0/8"
        ) from None


def _is_within(inner: Any, outer: Any) -> bool:
    return bool(inner.version == outer.version and inner.subnet_of(outer))


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "equals": operator.eq,
    "lessthan": operator.lt,
    "lessthanequals": operator.le,
    "greaterthan": operator.gt,
    "greaterthanequals": operator.ge,
}
_OPERATORS: Mapping[str, _Operator] = {
    "stringequals": _Operator(_text(WildcardStyle.EXACT)),
    "stringequalsignorecase": _Operator(_text(WildcardStyle.EXACT, ignore_case=True)),
    "stringlike": _Operator(_text(WildcardStyle.GLOB)),
    "bool": _Operator(_text(WildcardStyle.EXACT, ignore_case=True)),
    "arnequals": _Operator(_arn),
    "arnlike": _Operator(_arn),
    "binaryequals": _compared(_bytes, operator.eq),
    "ipaddress": _compared(_network, _is_within),
    **{f"numeric{name}": _compared(_number, holds) for name, holds in _COMPARISONS.items()},
    **{f"date{name}": _compared(_moment, holds) for name, holds in _COMPARISONS.items()},
}
_NEGATIONS: Mapping[str, str] = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
    "notipaddress": "ipaddress",
}
