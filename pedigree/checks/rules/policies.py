"""The members of a step beside its request: retries, cache and declared outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.checks.finding import Severity, Violation
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.caching import lifetime
from pedigree.language.definition import STEP_TYPES_WITH, Step
from pedigree.language.errors import DefinitionError
from pedigree.language.pointers import entries
from pedigree.language.references import DESCRIBED_TYPES
from pedigree.language.retries import EXCEPTION_TYPES
from pedigree.language.text import brief

_MOST_OUTPUTS = 50
_RANGES = {"MaxAttempts": (1, 20), "ExpireAfterMin": (1, 14_400), "IntervalSeconds": (1, 43_200)}
_MEMBERS = ("ExceptionType", "BackoffRate", *_RANGES)


@rule("LIM020", Severity.ERROR)
def retries(subject: Subject) -> Iterator[Violation]:
    """Malformed retry policy.

    A policy names its exceptions in a list, and has either MaxAttempts (up to 20) or ExpireAfterMin (up to 14400); the
    interval has 43200 seconds at most.
    """
    for step in subject.steps:
        for index, policy in entries(step.document.get("RetryPolicies")):
            pointer = f"{step.pointer}/RetryPolicies/{index}"
            yield from _limits(policy, pointer)
            yield from _exception_types(policy, pointer)


@rule("LIM021", Severity.ERROR)
def cache_lifetime(subject: Subject) -> Iterator[Violation]:
    """Malformed cache lifetime.

    ExpireAfter is an ISO 8601 duration like P30D or PT12H.
    """
    for step in subject.steps:
        try:
            lifetime(step)
        except DefinitionError as error:
            yield Violation(f"{step.pointer}/CacheConfig/ExpireAfter", error.cause, error.remedy)


@rule("LIM022", Severity.ERROR)
def outputs(subject: Subject) -> Iterator[Violation]:
    """Duplicate outputs, or too many.

    A Lambda or Callback step declares 50 outputs at most, each once.
    """
    for step in subject.steps:
        declared = entries(step.document.get("OutputParameters"))
        if len(declared) > _MOST_OUTPUTS:
            cause = f"{step.name} declares {len(declared)} outputs, and {_MOST_OUTPUTS} are allowed"
            yield Violation(f"{step.pointer}/OutputParameters", cause, "put some of them into one text of JSON")
        names = [output.get("OutputName") for _, output in declared]
        for (index, _), name in zip(declared, names, strict=True):
            if name in names[:index]:
                pointer = f"{step.pointer}/OutputParameters/{index}/OutputName"
                yield Violation(pointer, f"{brief(name)} is declared twice", "remove one of them")


@rule("DEP001", Severity.ERROR)
def useless_retries(subject: Subject) -> Iterator[Violation]:
    """Retry policies on a step that is never retried.

    The service does not retry Lambda, Condition, Callback and Fail steps. A function retries by itself.
    """
    for step in _steps_that_must_not_have(subject, "RetryPolicies"):
        cause = f"a {step.type} step is not retried"
        remedy = "remove the policies, and retry inside of what it calls"
        yield Violation(f"{step.pointer}/RetryPolicies", cause, remedy)


@rule("CST001", Severity.WARNING)
def useless_cache(subject: Subject) -> Iterator[Violation]:
    """Cache on a step that is never cached.

    Model, RegisterModel, Condition and Fail steps always run.
    """
    for step in _steps_that_must_not_have(subject, "CacheConfig"):
        yield Violation(f"{step.pointer}/CacheConfig", f"a {step.type} step is never cached", "remove it")


def _limits(policy: Mapping[str, Any], pointer: str) -> Iterator[Violation]:
    if ("MaxAttempts" in policy) == ("ExpireAfterMin" in policy):
        count = "both" if "MaxAttempts" in policy else "neither"
        yield Violation(pointer, f"the policy has {count} of MaxAttempts and ExpireAfterMin", "write one of them")
    for name, (least, most) in _RANGES.items():
        value = policy.get(name, least)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            remedy = f"write a whole number from {least} to {most}"
            yield Violation(f"{pointer}/{name}", f"{name} is {brief(value)}", remedy)
    rate = policy.get("BackoffRate", 1)
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or rate < 1:
        yield Violation(f"{pointer}/BackoffRate", f"BackoffRate is {brief(rate)}", "write a number of at least 1")
    for name in policy:
        if name not in _MEMBERS:
            yield Violation(f"{pointer}/{name}", f"a policy has no {name}", f"use {', '.join(_MEMBERS)}")


def _exception_types(policy: Mapping[str, Any], pointer: str) -> Iterator[Violation]:
    written = policy.get("ExceptionType")
    if not isinstance(written, list) or not written:
        inner = f"{pointer}/ExceptionType" if "ExceptionType" in policy else pointer
        remedy = f"write ExceptionType with {EXCEPTION_TYPES[0]} or others"
        yield Violation(inner, "the policy has no list of exceptions", remedy)
        return
    for index, name in enumerate(written):
        if name not in EXCEPTION_TYPES:
            inner = f"{pointer}/ExceptionType/{index}"
            yield Violation(inner, f"there is no exception {brief(name)}", f"use {', '.join(EXCEPTION_TYPES)}")


def _steps_that_must_not_have(subject: Subject, member: str) -> Iterator[Step]:
    """The steps with a member that their type does not have."""
    for step in subject.steps:
        if step.type in DESCRIBED_TYPES and step.type not in STEP_TYPES_WITH[member] and step.document.get(member):
            yield step
