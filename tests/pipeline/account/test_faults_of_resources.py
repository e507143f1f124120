"""When any call fails in any way, a second run leads to the state of an undisturbed run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from pedigree.account.errors import OperationsError
from pedigree.account.plan import ManagedResource, plan
from pipeline.account.managed_pipeline import INLINE_BYTES, ManagedPipeline, managed_pipeline
from pipeline.account.schedule import ManagedSchedule, Removal, Switch
from pipeline.settings.tree import Settings
from tests.support.accounts import READING, RecordedClients, account, apply_resources, client, state
from tests.support.definitions import CODE, configure
from tests.support.fakes.aws import ACCOUNT, REGION, aws
from tests.support.injected_faults import FAULTS_AFTER_EFFECT, FAULTS_BEFORE_EFFECT, CallFault

BUCKET = f"pedigree-{ACCOUNT}-{REGION}"


@dataclass
class NthCallFails:
    """Makes the n-th call fail with one fault."""

    fault: CallFault
    number: int
    calls: int = field(default=0)

    def around(self, _service: str, _operation: str, _arguments: Mapping[str, Any], call: Callable[[], Any]) -> Any:
        self.calls += 1
        return self.fault(call) if self.calls == self.number else call()


@cache
def settings(epochs: int = 50) -> Settings:
    return configure({"site.account": ACCOUNT, "training.epochs": epochs, "schedule.parameters": {"Epochs": epochs}})


@cache
def large(epochs: int = 50) -> ManagedPipeline:
    """A pipeline that goes by way of the bucket."""
    small = managed_pipeline(settings(epochs), CODE)
    return ManagedPipeline(small.settings, {**small.document, "Metadata": {"note": "ä" * (INLINE_BYTES // 2)}})


def nothing() -> None:
    """An account in which nothing was done yet."""


def another_pipeline() -> None:
    apply_resources([large(3)], account())
    sagemaker = client("sagemaker")
    arn = sagemaker.describe_pipeline(PipelineName="dog-breeds")["PipelineArn"]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["project"])


def schedule() -> None:
    apply_resources([ManagedSchedule(settings())], account())


def another_schedule() -> None:
    apply_resources([ManagedSchedule(settings(3))], account())
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName="dog-breeds-schedule-dead")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"SqsManagedSseEnabled": "false"})


@dataclass(frozen=True)
class Case:
    """A change of an account, the account, and the number of calls that write."""

    name: str
    before: Callable[[], None]
    resource: Callable[[], ManagedResource]
    writes: int


CASES = (
    Case("a pipeline is changed", another_pipeline, large, 3),
    Case("a schedule is made", nothing, lambda: ManagedSchedule(settings()), 2),
    Case("a schedule is changed", another_schedule, lambda: ManagedSchedule(settings()), 2),
    Case("a schedule is paused", schedule, lambda: Switch(settings(), "DISABLED"), 1),
    Case("a schedule is removed", schedule, lambda: Removal(settings()), 2),
)


def run(case: Case, watched: RecordedClients) -> tuple[dict[str, Any], bool]:
    """The state in the end, and whether it took another attempt."""
    with aws():
        client("s3").create_bucket(Bucket=BUCKET)
        case.before()
        try:
            apply_resources([case.resource()], account(watched))
            failed = False
        except OperationsError:
            failed = True
            apply_resources([case.resource()], account())
        assert not plan([case.resource()], account())
        return state(), failed


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_whichever_call_fails_doing_it_again_leads_to_the_same_state(case: Case) -> None:
    undisturbed = RecordedClients()
    expected, failed = run(case, undisturbed)
    assert not failed
    assert len(undisturbed.writing()) == case.writes
    for number, (_, operation, _) in enumerate(undisturbed.calls, start=1):
        # What reads has no effect that could be lost, so there the ways take turns.
        faults = (
            [FAULTS_BEFORE_EFFECT[number % len(FAULTS_BEFORE_EFFECT)]]
            if operation.startswith(READING)
            else [*FAULTS_BEFORE_EFFECT, *FAULTS_AFTER_EFFECT]
        )
        for fault in faults:
            assert run(case, RecordedClients(around=NthCallFails(fault, number).around)) == (expected, True), (
                fault,
                operation,
            )
