"""When any call of an upsert fails in any way, another upsert brings the account to the same state.

Every call that an upsert makes fails here, one after the other, and each call that changes something fails in every
way: refused before it has an effect, and cut off after it. What reads has no effect that could be lost, so the ways
take turns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import cycle, repeat
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pedigree.account.errors import OperationsError
from pedigree.account.plan import ManagedResource
from tests.support.accounts import (
    CALLER,
    READING,
    RecordedClients,
    account,
    apply_resources,
    change_lines,
    client,
    state,
    upsert_resources,
)
from tests.support.fakes.aws import ACCOUNT, REGION, aws
from tests.support.injected_faults import (
    FAULTS_AFTER_EFFECT,
    FAULTS_BEFORE_EFFECT,
    Call,
    CallFault,
    FaultInjector,
    call_name,
    connection_lost_after_effect,
    upsert_until_done,
)


def everything(folder: Path) -> list[ManagedResource]:
    """All resources that an upsert can have."""
    return upsert_resources(folder, {"schedule.enabled": True})


@dataclass(frozen=True)
class Undisturbed:
    """An upsert in which nothing goes wrong: its calls, and the account afterwards."""

    calls: frozenset[str]
    state: Mapping[str, Any]


@pytest.fixture(scope="module")
def undisturbed(handlers: Path) -> Undisturbed:
    watched = RecordedClients()
    with aws():
        apply_resources(everything(handlers), account(watched))
        return Undisturbed(frozenset(call_name(*call) for call in watched.calls), state())


@pytest.mark.parametrize("last", FAULTS_AFTER_EFFECT)
def test_each_call_fails_in_each_way_and_the_account_is_the_same_in_the_end(
    last: CallFault, handlers: Path, undisturbed: Undisturbed
) -> None:
    """One resource at a time, so that an attempt is short; each finds the ones before it complete."""
    faults = (*FAULTS_BEFORE_EFFECT, last)
    injector = FaultInjector(repeat(faults), cycle([fault] for fault in faults))
    with aws():
        for resource in everything(handlers):
            upsert_until_done(injector, [resource])
        assert change_lines(apply_resources(everything(handlers), account())) == []
        there = state()
    for kind, expected in undisturbed.state.items():
        assert there[kind] == expected, kind
    assert undisturbed.calls - {name for name, _ in injector.injected} == set()
    changing = {name for name in undisturbed.calls if not name.split()[1].startswith(READING)}
    assert len(changing) > 50
    for call in changing:
        assert {fault for name, fault in injector.injected if name == call} == set(faults)


def test_a_whole_upsert_that_loses_answers_is_gone_on_with(handlers: Path, undisturbed: Undisturbed) -> None:
    """All resources at once; every fifth call that changes something has its effect, and the upsert ends there."""
    injector = FaultInjector(cycle([[connection_lost_after_effect], [], [], [], []]), repeat(()))
    with aws():
        upsert_until_done(injector, everything(handlers))
        there = state()
    assert len(injector.injected) > 5
    for kind, expected in undisturbed.state.items():
        assert there[kind] == expected, kind


@dataclass
class Denial:
    """Denies each call once, in as few words as AWS has."""

    denied: set[str] = field(default_factory=set)

    def around(self, service: str, operation: str, arguments: Mapping[str, Any], call: Call) -> Any:
        name = call_name(service, operation, arguments)
        if name in self.denied:
            return call()
        self.denied.add(name)
        said = {"Code": "AccessDenied", "Message": "Access Denied"}
        raise ClientError({"Error": said}, client(service).meta.method_to_api_mapping[operation])


def refusals(denial: Denial, resource: ManagedResource) -> Iterator[str]:
    """The refusals until a resource is created."""
    while True:
        try:
            apply_resources([resource], account(RecordedClients(around=denial.around)))
        except OperationsError as error:
            yield str(error)
        else:
            return


# A user without the right to read a bucket cannot know its owner.
OF_A_BUCKET = (
    f"bucket pedigree-{ACCOUNT}-{REGION} belongs to another account, or {CALLER} may not s3:ListBucket on it; "
    "choose another with site.bucket, or allow it"
)


def test_a_missing_permission_is_reported_at_each_call(handlers: Path, undisturbed: Undisturbed) -> None:
    """Which action, on what, in whose policy: also where AWS says no more than that access is denied."""
    denial = Denial()
    with aws():
        said = [text for resource in everything(handlers) for text in refusals(denial, resource)]
    assert undisturbed.calls - denial.denied == set()
    assert len(said) == len(denial.denied)
    clear = re.compile(rf"{CALLER} may not [a-z0-9-]+:[A-Z]\w+ on \S+; allow it in the policy of that user or role")
    assert [refusal for refusal in said if not clear.fullmatch(refusal)] == [OF_A_BUCKET]
