"""Parses policies from JSON, and refuses what IAM refuses, in one line that says where and why."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.errors import InvalidValueError
from pedigree.iam.conditions import Condition, NullCondition, condition
from pedigree.iam.document import Effect, Policy, PolicyKind, Selector, Statement
from pedigree.iam.errors import PolicyError
from pedigree.iam.patterns import WildcardStyle, compiled, missing_parts
from pedigree.iam.principals import Principals

_WITH_VARIABLES = "2012-10-17"
_VERSIONS = (_WITH_VARIABLES, "2008-10-17")
_ELEMENTS = ("Version", "Id", "Statement")
_PARTS = ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
_PRINCIPALS = ("AWS", "Service", "Federated", "CanonicalUser")
_ACTION = re.compile(r"\*|[A-Za-z0-9*?-]+:[A-Za-z0-9*?]+")
_RESOURCE = re.compile(r"\*|arn:.+", re.DOTALL)
_OF_PRINCIPALS = (PolicyKind.IDENTITY, PolicyKind.SESSION)
_AWS_PRINCIPAL = re.compile(
    r"\*|\d{12}|A[A-Z0-9]{15,127}"
    r"|arn:aws[\w-]*:(iam::\d{12}:(root|user/.+|role/.+)|sts::\d{12}:(assumed-role/[^/]+/[^/]+|federated-user/.+))"
)
_SID = re.compile(r"[A-Za-z0-9]*")


def parse(document: Any, *, name: str = "policy", kind: PolicyKind = PolicyKind.IDENTITY) -> Policy:
    """Parse a policy document; PolicyError if it is malformed."""
    try:
        return Policy(name, kind, _statements(document, name, kind))
    except InvalidValueError as error:
        raise PolicyError(f"{name} {error.cause}", error.remedy) from None


def _statements(document: Any, name: str, kind: PolicyKind) -> tuple[Statement, ...]:
    _check_names(document, _ELEMENTS)
    version = document.get("Version", _VERSIONS[-1])
    if version not in _VERSIONS:
        raise InvalidValueError(f"has the version {version!r:.80}", f"write {_WITH_VARIABLES}")
    entries = _listed(document.get("Statement", ()))
    if not entries:
        raise InvalidValueError("has no statements", "write at least one")
    reader = _Reader(kind, version == _WITH_VARIABLES)
    statements = tuple(reader.statement(entry, f"{name}, statement {index}") for index, entry in enumerate(entries, 1))
    sids = [statement.sid for statement in statements if statement.sid]
    duplicate = next((sid for sid in sids if sids.count(sid) > 1), "")
    if duplicate:
        raise InvalidValueError(f"has the Sid {duplicate!r:.80} more than once", "give each statement its own")
    return statements


@dataclass(frozen=True)
class _Reader:
    """Reads the statements of one document."""

    kind: PolicyKind
    variables: bool

    def statement(self, entry: Any, place: str) -> Statement:
        try:
            _check_names(entry, _PARTS)
            sid = self._sid(entry)
            place = f"{place} ({sid})" if sid else place
            return Statement(
                place=place,
                sid=sid,
                effect=_effect(entry.get("Effect")),
                principals=self._principals(entry),
                actions=self._actions(entry),
                resources=self._resources(entry),
                conditions=tuple(self._conditions(entry.get("Condition", {}))),
            )
        except InvalidValueError as error:
            raise PolicyError(f"{place}: {error.cause}", error.remedy) from None

    def _sid(self, entry: Mapping[str, Any]) -> str:
        sid = entry.get("Sid", "")
        if not isinstance(sid, str) or (self.kind is not PolicyKind.RESOURCE and not _SID.fullmatch(sid)):
            raise InvalidValueError(f"has the Sid {sid!r:.80}", "write letters and digits")
        return sid

    def _principals(self, entry: Mapping[str, Any]) -> Principals | None:
        if self.kind in _OF_PRINCIPALS:
            _check_absent(entry, ("Principal", "NotPrincipal"), "the policy is about the principal that has it")
            return None
        if self.kind is PolicyKind.TRUST:
            _check_absent(entry, ("NotPrincipal",), "a trust says who may assume the role")
        element, negated = _one_of(entry, "Principal")
        if element == "*":
            return Principals(True, {}, negated)
        _check_names(element, _PRINCIPALS)
        names = {kind: frozenset(_texts(value)) for kind, value in element.items()}
        everybody = "*" in names.get("AWS", ())
        for name in (name for several in names.values() for name in several if name != "*"):
            if "*" in name or "?" in name:
                raise InvalidValueError(f"has the principal {name!r:.80} with a wildcard", "write it out, or * alone")
        for name in names.get("AWS", ()):
            if not _AWS_PRINCIPAL.fullmatch(name):
                raise InvalidValueError(
                    f"has the principal {name!r:.80}",
                    "write an account's id, or the ARN of a user, a role or a session",
                )
        return Principals(everybody, names, negated)

    def _actions(self, entry: Mapping[str, Any]) -> Selector:
        element, negated = _one_of(entry, "Action")
        texts = _texts(element)
        for text in texts:
            if not _ACTION.fullmatch(text):
                raise InvalidValueError(f"has the action {text!r:.80}", "write one like s3:GetObject")
        patterns = compiled(texts, WildcardStyle.GLOB, variables=False, ignore_case=True)
        return Selector(texts, patterns, negated)

    def _resources(self, entry: Mapping[str, Any]) -> Selector | None:
        if self.kind is PolicyKind.TRUST:
            _check_absent(entry, ("Resource", "NotResource"), "a trust is about its own role")
            return None
        element, negated = _one_of(entry, "Resource")
        texts = _texts(element)
        for text in texts:
            if not _RESOURCE.fullmatch(text):
                raise InvalidValueError(f"has the resource {text!r:.80}", "write an ARN, or * for all")
        complete = [self._complete(text) for text in texts]
        return Selector(texts, compiled(complete, WildcardStyle.ARN, variables=self.variables), negated)

    def _complete(self, text: str) -> str:
        """A resource with a wildcard for each part that its ARN lacks, as an identity's policy may.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
        """
        missing = 0 if text == "*" else missing_parts(text)
        if missing and self.kind is not PolicyKind.IDENTITY:
            raise InvalidValueError(f"has the incomplete ARN {text!r:.80}", "write all six parts")
        return text + ":*" * missing

    def _conditions(self, block: Any) -> Iterator[Condition | NullCondition]:
        for operator, keys in _mapping(block, "Condition").items():
            for key, wanted in _mapping(keys, operator).items():
                yield condition(operator, key, _texts(wanted, blank=("",)), variables=self.variables)


def _effect(value: Any) -> Effect:
    if value not in (Effect.ALLOW.value, Effect.DENY.value):
        raise InvalidValueError(f"has the effect {value!r:.80}", "write Allow or Deny")
    return Effect(value)


def _one_of(entry: Mapping[str, Any], name: str) -> tuple[Any, bool]:
    """The value under a name or under its negated name, and whether it was the negated one."""
    keys = [key for key in (name, f"Not{name}") if key in entry]
    if len(keys) != 1:
        count = "both" if keys else "neither"
        raise InvalidValueError(f"has {count} of {name} and Not{name}", "write one of them")
    return entry[keys[0]], keys[0] != name


def _texts(value: Any, blank: Collection[str] = ()) -> tuple[str, ...]:
    """One or several texts; true and 1 become their texts. A condition may compare with the empty text."""
    items = _listed(value)
    if not items or any(_is_no_text(item) and item not in blank for item in items):
        raise InvalidValueError(f"has {value!r:.80}", "write a text or a list of texts")
    return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in items)


def _is_no_text(item: Any) -> bool:
    return isinstance(item, (Mapping, list)) or item in (None, "")


def _listed(value: Any) -> Collection[Any]:
    return value if isinstance(value, (list, tuple)) else (value,)


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        where = f" in {name}" if name else ""
        raise InvalidValueError(f"has {value!r:.80}{where}", "write keys and values")
    return value


def _check_names(value: Any, allowed: Collection[str]) -> None:
    for name in _mapping(value, ""):
        if name not in allowed:
            raise InvalidValueError(f"has the unknown element {name!r:.80}", f"write {', '.join(allowed)}")


def _check_absent(entry: Mapping[str, Any], names: Collection[str], why: str) -> None:
    for name in names:
        if name in entry:
            raise InvalidValueError(f"has {name}, and {why}", "leave it out")
