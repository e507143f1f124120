"""What a step has beside its request: retries, cache and declared outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.checks.finding import Severity, Spot
from pedigree.checks.jobs import entries
from pedigree.checks.reading import brief
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.caching import lifetime
from pedigree.language.definition import Step
from pedigree.language.errors import DefinitionError
from pedigree.language.schema import FAULTS, ONLY_FOR
from pedigree.language.shapes import DECLARING, OPERATIONS

_KNOWN = (*OPERATIONS, *DECLARING, "Condition", "Fail")
_MOST_OUTPUTS = 50
_RANGES = {"MaxAttempts": (1, 20), "ExpireAfterMin": (1, 14_400), "IntervalSeconds": (1, 43_200)}
_MEMBERS = ("ExceptionType", "BackoffRate", *_RANGES)


@rule("LIM020", Severity.ERROR)
def retries(subject: Subject) -> Iterator[Spot]:
    """A retry policy that the service does not take.

    A policy names its exceptions in a list, and has either MaxAttempts (up to 20) or ExpireAfterMin (up to 14400); the
    interval has 43200 seconds at most.
    """
    for step in subject.steps:
        for index, policy in entries(step.document.get("RetryPolicies")):
            pointer = f"{step.pointer}/RetryPolicies/{index}"
            yield from _limits(policy, pointer)
            yield from _exceptions(policy, pointer)


def _limits(policy: Mapping[str, Any], pointer: str) -> Iterator[Spot]:
    if ("MaxAttempts" in policy) == ("ExpireAfterMin" in policy):
        told = "both" if "MaxAttempts" in policy else "neither"
        yield Spot(pointer, f"the policy has {told} of MaxAttempts and ExpireAfterMin", "write one of them")
    for name, (least, most) in _RANGES.items():
        value = policy.get(name, least)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            yield Spot(f"{pointer}/{name}", f"{name} is {brief(value)}", f"write a whole number from {least} to {most}")
    rate = policy.get("BackoffRate", 1)
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or rate < 1:
        yield Spot(f"{pointer}/BackoffRate", f"BackoffRate is {brief(rate)}", "write a number from 1 on")
    for name in policy:
        if name not in _MEMBERS:
            yield Spot(f"{pointer}/{name}", f"a policy has no {name}", f"use {', '.join(_MEMBERS)}")


def _exceptions(policy: Mapping[str, Any], pointer: str) -> Iterator[Spot]:
    written = policy.get("ExceptionType")
    if not isinstance(written, list) or not written:
        place = f"{pointer}/ExceptionType" if "ExceptionType" in policy else pointer
        yield Spot(place, "the policy has no list of exceptions", f"write ExceptionType with {FAULTS[0]} or others")
        return
    for index, one in enumerate(written):
        if one not in FAULTS:
            place = f"{pointer}/ExceptionType/{index}"
            yield Spot(place, f"there is no exception {brief(one)}", f"use {', '.join(FAULTS)}")


@rule("LIM021", Severity.ERROR)
def cache_lifetime(subject: Subject) -> Iterator[Spot]:
    """A cache lifetime that is no duration.

    ExpireAfter is an ISO 8601 duration like P30D or PT12H.
    """
    for step in subject.steps:
        try:
            lifetime(step)
        except DefinitionError as error:
            cause, _, remedy = str(error).partition("; ")
            pointer, _, rest = cause.partition(" is ")
            yield Spot(pointer, f"ExpireAfter is {rest}", remedy)


@rule("LIM022", Severity.ERROR)
def outputs(subject: Subject) -> Iterator[Spot]:
    """Outputs that are declared twice, or are too many.

    A Lambda or Callback step declares 50 outputs at most, each once.
    """
    for step in subject.steps:
        listed = entries(step.document.get("OutputParameters"))
        if len(listed) > _MOST_OUTPUTS:
            cause = f"{step.name} declares {len(listed)} outputs and may have {_MOST_OUTPUTS}"
            yield Spot(f"{step.pointer}/OutputParameters", cause, "put some of them into one text of JSON")
        names = [one.get("OutputName") for _, one in listed]
        for (index, _), name in zip(listed, names, strict=True):
            if name in names[:index]:
                pointer = f"{step.pointer}/OutputParameters/{index}/OutputName"
                yield Spot(pointer, f"{brief(name)} is declared twice", "remove one of them")


@rule("DEP001", Severity.ERROR)
def retries_of_none(subject: Subject) -> Iterator[Spot]:
    """Retry policies on a step that has none.

    Lambda, Condition, Callback and Fail steps are not retried by the service. A function retries by itself.
    """
    for step in _with(subject, "RetryPolicies"):
        cause = f"a {step.type} step is not retried"
        yield Spot(f"{step.pointer}/RetryPolicies", cause, "remove the policies, and retry inside of what it calls")


@rule("CST001", Severity.WARNING)
def cache_of_none(subject: Subject) -> Iterator[Spot]:
    """A cache on a step that has none.

    Model, RegisterModel, Condition and Fail steps always run.
    """
    for step in _with(subject, "CacheConfig"):
        yield Spot(f"{step.pointer}/CacheConfig", f"a {step.type} step is never cached", "remove it")


def _with(subject: Subject, member: str) -> Iterator[Step]:
    for step in subject.steps:
        if step.type in _KNOWN and step.type not in ONLY_FOR[member] and step.document.get(member):
            yield step
