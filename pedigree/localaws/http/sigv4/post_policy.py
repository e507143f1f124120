"""The policy of a form for S3: until when it holds, which values its fields may have, and how large its file may be."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pedigree.localaws.http.protocol.s3_errors import S3Error
from pedigree.localaws.http.sigv4.post_signature import UNSIGNED_FIELDS

LARGEST = 5 << 30
_IGNORED_PREFIX = "x-ignore-"
_SIZES = "content-length-range"
_EQUAL, _PREFIX = "eq", "starts-with"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)", re.ASCII)
# An escaped dollar sign is no JSON, and neither is a vertical tab; an even number of backslashes escapes nothing.
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_REPLACEMENTS = {"$": "$", "v": r"\u000b"}


@dataclass(frozen=True)
class SizeRange:
    """How many bytes a file may have, at least and at most."""

    least: int = 0
    most: int = LARGEST

    def check(self, size: int, *, is_whole: bool) -> None:
        """S3's error for a file that is too large, or that has ended too early."""
        if size > self.most:
            words = "Your proposed upload exceeds the maximum allowed size"
            raise S3Error("EntityTooLarge", words, ProposedSize=str(size), MaxSizeAllowed=str(self.most))
        if is_whole and size < self.least:
            words = "Your proposed upload is smaller than the minimum allowed size"
            raise S3Error("EntityTooSmall", words, ProposedSize=str(size), MinSizeAllowed=str(self.least))


@dataclass(frozen=True)
class PolicyCondition:
    """A condition as it is written: an operator, and what it is about."""

    operator: str
    first: Any
    second: Any

    def __str__(self) -> str:
        return json.dumps([self.operator, self.first, self.second], ensure_ascii=False)

    @property
    def field(self) -> str:
        """The field that it is about, in small letters; empty if it names none."""
        name = self.first if isinstance(self.first, str) else ""
        return name.removeprefix("$").lower() if name.startswith("$") else ""

    def holds(self, fields: Mapping[str, str]) -> bool:
        """Whether the fields meet it; a field that is not there meets nothing."""
        value = fields.get(self.field)
        if value is None or not isinstance(self.second, str):
            return False
        if self.operator.lower() == _EQUAL:
            return value == self.second
        values = map(str.strip, value.split(",")) if self.field == "content-type" else (value,)
        return all(value.startswith(self.second) for value in values)


@dataclass(frozen=True)
class PostPolicy:
    """What was signed: a time, and conditions that a form must meet all."""

    expiration: float
    conditions: Sequence[PolicyCondition]

    def check(self, fields: Mapping[str, str], now: float) -> SizeRange:
        """The sizes that the file may have; AccessDenied for a form that the policy does not allow."""
        if self.expiration < now:
            raise _denied("Policy expired.")
        sizes = SizeRange()
        for condition in self.conditions:
            if condition.operator.lower() == _SIZES:
                sizes = _narrowed(sizes, condition)
            elif not condition.holds(fields):
                raise _failed(condition)
        self._check_names(fields)
        return sizes

    def _check_names(self, fields: Mapping[str, str]) -> None:
        named = UNSIGNED_FIELDS.union(condition.field for condition in self.conditions)
        extra = [name for name in fields if name not in named and not name.startswith(_IGNORED_PREFIX)]
        if extra:
            raise _denied(f"Extra input fields: {', '.join(sorted(extra))}")


def parse(encoded: str) -> PostPolicy:
    """A policy as it stands in a form; InvalidPolicyDocument if it cannot be read."""
    document = _document(encoded)
    unknown = document.keys() - {"expiration", "conditions"}
    if unknown:
        raise _invalid(f"Unexpected: {', '.join(sorted(map(repr, unknown)))}")
    for name in ("expiration", "conditions"):
        if name not in document:
            raise _invalid(f"Policy missing {name}.")
    conditions = document["conditions"]
    if not isinstance(conditions, list):
        raise _invalid("Invalid 'conditions' value: must be a List.")
    return PostPolicy(_expiration(document["expiration"]), [_condition(entry) for entry in conditions])


def _document(encoded: str) -> dict[str, Any]:
    try:
        text = base64.b64decode("".join(encoded.split()), validate=True).decode()
        document = json.loads(_ESCAPE.sub(lambda match: _REPLACEMENTS.get(match[1], match[0]), text))
    except (ValueError, binascii.Error, RecursionError):
        raise _invalid("Invalid JSON.") from None
    if not isinstance(document, dict):
        raise _invalid("Invalid JSON.")
    return document


def _expiration(text: Any) -> float:
    wrong = _invalid(f"Invalid 'expiration' value: '{text}'")
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise wrong
    try:
        return dt.datetime.strptime(_with_fraction(text), "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
    except (ValueError, OverflowError):
        raise wrong from None


def _with_fraction(text: str) -> str:
    """A time with microseconds, of which strptime takes six digits."""
    head, zone = text[:19], _TIME.fullmatch(text)
    assert zone is not None
    return f"{head}{(zone[1] or '.0')[:7]}{zone[2]}"


def _condition(entry: Any) -> PolicyCondition:
    if isinstance(entry, dict):
        return _simple(entry)
    if not isinstance(entry, list) or len(entry) != 3 or not isinstance(entry[0], str):
        raise _invalid("Invalid Condition: must be a List of an operator and two values.")
    if entry[0].lower() not in (_EQUAL, _PREFIX, _SIZES):
        raise _invalid(f"Invalid Condition: unknown operation '{entry[0]}'.")
    return PolicyCondition(*entry)


def _simple(entry: Mapping[str, Any]) -> PolicyCondition:
    if len(entry) != 1:
        raise _invalid("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.")
    (name, value) = next(iter(entry.items()))
    if not isinstance(value, str):
        raise _invalid("Invalid Simple-Condition: value must be a string.")
    return PolicyCondition(_EQUAL, f"${name}", value)


def _narrowed(sizes: SizeRange, condition: PolicyCondition) -> SizeRange:
    least, most = (_number(value, condition) for value in (condition.first, condition.second))
    return SizeRange(max(least, sizes.least), min(most, sizes.most))


def _number(value: Any, condition: PolicyCondition) -> int:
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit() and len(text) < 19):
        raise _failed(condition)
    return int(text)


def _failed(condition: PolicyCondition) -> S3Error:
    return _denied(f"Policy Condition failed: {condition}")


def _denied(why: str) -> S3Error:
    return S3Error("AccessDenied", f"Invalid according to Policy: {why}", 403)


def _invalid(why: str) -> S3Error:
    return S3Error("InvalidPolicyDocument", f"Invalid Policy: {why}")
