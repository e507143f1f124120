"""Whichever call goes wrong, and however: doing it again leads to the state that an undisturbed run leads to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from moto import mock_aws

from operations.errors import OperationsError
from operations.pipeline_part import INLINE_BYTES, PipelinePart, pipeline_part
from operations.plan import Part, plan
from operations.schedule import Removal, SchedulePart, Switch
from pipeline.settings import Settings
from tests.definitions import CODE, configure
from tests.faults import ACCOUNT, FAULTS, REGION, Wire, brought_about, client

BUCKET = f"pedigree-{ACCOUNT}-{REGION}"
_VOLATILE = {
    "CreationTime",
    "LastModifiedTime",
    "CreationDate",
    "LastModificationDate",
    "ResponseMetadata",
    "LastRunTime",
}
_VOLATILE |= {"CreatedTimestamp", "LastModifiedTimestamp"}


@cache
def settings(epochs: int = 50) -> Settings:
    return configure({"site.account": ACCOUNT, "training.epochs": epochs, "schedule.parameters": {"Epochs": epochs}})


@cache
def large(epochs: int = 50) -> PipelinePart:
    """A pipeline that goes by way of the bucket."""
    small = pipeline_part(settings(epochs), CODE)
    return PipelinePart(small.settings, {**small.document, "Metadata": {"note": "ä" * (INLINE_BYTES // 2)}})


def nothing() -> None:
    """An account in which nothing was done yet."""


def another_pipeline() -> None:
    brought_about([large(3)], Wire().account())
    sagemaker = client("sagemaker")
    arn = sagemaker.describe_pipeline(PipelineName="dog-breeds")["PipelineArn"]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["project"])


def schedule() -> None:
    brought_about([SchedulePart(settings())], Wire().account())


def another_schedule() -> None:
    brought_about([SchedulePart(settings(3))], Wire().account())
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName="dog-breeds-schedule-dead")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"SqsManagedSseEnabled": "false"})


@dataclass(frozen=True)
class Case:
    """What is brought about, in which account, and at least how many calls change something."""

    name: str
    before: Callable[[], None]
    part: Callable[[], Part]
    writes: int


CASES = (
    Case("a pipeline is made", nothing, large, 2),
    Case("a pipeline is changed", another_pipeline, large, 3),
    Case("a schedule is made", nothing, lambda: SchedulePart(settings()), 2),
    Case("a schedule is changed", another_schedule, lambda: SchedulePart(settings()), 2),
    Case("a schedule is paused", schedule, lambda: Switch(settings(), "DISABLED"), 1),
    Case("a schedule is removed", schedule, lambda: Removal(settings()), 2),
)


def state() -> dict[str, Any]:
    """All that the parts are about, without what differs by nature."""
    sagemaker, scheduler, sqs = client("sagemaker"), client("scheduler"), client("sqs")
    pipelines = [
        sagemaker.describe_pipeline(PipelineName=one["PipelineName"])
        for one in sagemaker.list_pipelines()["PipelineSummaries"]
    ]
    return {
        "pipelines": [steady(one) for one in pipelines],
        "tags": [
            sorted(one["Key"] for one in sagemaker.list_tags(ResourceArn=p["PipelineArn"])["Tags"]) for p in pipelines
        ],
        "schedules": [
            steady(scheduler.get_schedule(Name=one["Name"])) for one in scheduler.list_schedules()["Schedules"]
        ],
        "queues": [
            steady(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"])
            for url in sqs.list_queues().get("QueueUrls", [])
        ],
        "objects": [one["Key"] for one in client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])],
    }


def steady(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in _VOLATILE}


def run(case: Case, wire: Wire) -> tuple[dict[str, Any], bool]:
    """The state in the end, and whether it took another attempt."""
    with mock_aws():
        client("s3").create_bucket(Bucket=BUCKET)
        case.before()
        try:
            brought_about([case.part()], wire.account())
            failed = False
        except OperationsError:
            failed = True
            brought_about([case.part()], Wire().account())
        assert not plan([case.part()], Wire().account())
        return state(), failed


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_whichever_call_fails_doing_it_again_leads_to_the_same_state(case: Case) -> None:
    undisturbed = Wire()
    expected, failed = run(case, undisturbed)
    assert not failed
    assert len(undisturbed.writes()) == case.writes
    for fault in FAULTS:
        for number in range(len(undisturbed.calls)):
            assert run(case, Wire(fault, number + 1)) == (expected, True), (fault, undisturbed.calls[number])
