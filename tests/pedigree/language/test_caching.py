"""What makes an earlier result of a step good, and when a failed step is tried again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from pedigree.language import caching, retries
from pedigree.language.definition import Step, read
from pedigree.language.errors import DefinitionError
from pedigree.language.shapes import request_shape

TRAINING = {
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "HyperParameters": {"epochs": "3"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/a"},
}


def step(kind: str, arguments: dict[str, Any], **members: Any) -> Step:
    return read({"Steps": [{"Name": "S", "Type": kind, "Arguments": arguments, **members}]}).steps[0]


def key(kind: str, arguments: dict[str, Any], **members: Any) -> str:
    target = str(members.get("FunctionArn") or members.get("SqsQueueUrl") or "")
    return caching.key(step(kind, arguments, **members), arguments, target)


@pytest.mark.parametrize("kind", ["Processing", "Training", "Tuning", "Transform"])
def test_every_attribute_is_a_member_of_the_request(kind: str) -> None:
    for path in caching.ATTRIBUTES[kind]:
        shape = request_shape(kind)
        for part in path.split("."):
            assert shape is not None
            shape = shape.members[part]


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({"ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 1}}, True),
        ({"OutputDataConfig": {"S3OutputPath": "s3://bucket/b"}}, True),
        ({"HyperParameters": {"epochs": "4"}}, False),
        ({"Environment": {"A": "b"}}, False),
    ],
)
def test_machines_and_outputs_do_not_matter(change: dict[str, Any], is_same: bool) -> None:
    assert (key("Training", TRAINING) == key("Training", {**TRAINING, **change})) is is_same


def test_a_search_is_found_by_some_members_of_its_jobs() -> None:
    trial = {"StaticHyperParameters": {"seed": "1"}, "RoleArn": "one"}
    assert key("Tuning", {"TrainingJobDefinition": trial}) == key(
        "Tuning", {"TrainingJobDefinition": {**trial, "RoleArn": "other"}}
    )
    assert key("Tuning", {"TrainingJobDefinition": trial}) != key(
        "Tuning", {"TrainingJobDefinition": {**trial, "StaticHyperParameters": {"seed": "2"}}}
    )


def test_a_function_step_is_found_by_the_function_and_all_its_arguments() -> None:
    assert key("Lambda", {"a": 1}, FunctionArn="f") != key("Lambda", {"a": 1}, FunctionArn="g")
    assert key("Lambda", {"a": 1}, FunctionArn="f") != key("Lambda", {"a": 2}, FunctionArn="f")


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("P30D", 30),
        ("PT12H", 0.5),
        ("P1W", 7),
        ("30d", 30),
        ("T30m", 1 / 48),
        ("30dT12h", 30.5),
        ("P1Y2M", 425),
        ("P1DT24H", 2),
        ("PT86400S", 1),
    ],
)
def test_a_lifetime_is_a_duration(written: str, days: float) -> None:
    cached = step("Training", TRAINING, CacheConfig={"Enabled": True, "ExpireAfter": written})
    assert caching.lifetime(cached) == dt.timedelta(days=days)


@pytest.mark.parametrize("written", ["", "P", "PT", "30 d", "P1H", 5, "P-1D", "P٣D"])
def test_a_malformed_duration_is_refused(written: object) -> None:
    with pytest.raises(DefinitionError, match="write a duration like"):
        caching.lifetime(step("Training", TRAINING, CacheConfig={"Enabled": True, "ExpireAfter": written}))


def test_an_immense_lifetime_is_for_ever() -> None:
    config = {"Enabled": True, "ExpireAfter": "P99999999999Y"}
    assert caching.lifetime(step("Training", TRAINING, CacheConfig=config)) == dt.timedelta.max


@pytest.mark.parametrize("members", [{}, {"CacheConfig": {"Enabled": False, "ExpireAfter": "P1D"}}])
def test_a_cache_is_off_unless_it_is_on(members: dict[str, Any]) -> None:
    assert caching.lifetime(step("Training", TRAINING, **members)) is None


def test_each_attempt_waits_longer_until_the_last_one() -> None:
    written = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 5, "BackoffRate": 2.0, "MaxAttempts": 3}
    policy = retries.policy_for(step("Training", TRAINING, RetryPolicies=[written]), "Step.THROTTLING")
    assert policy is not None
    assert [policy.delay(retried, 0) for retried in range(5)] == [5, 10, 20, None, None]


def test_a_policy_may_end_by_time() -> None:
    policy = retries.RetryPolicy(frozenset(["Step.THROTTLING"]), 30, 1.0, None, 1)
    assert [policy.delay(9, seconds) for seconds in (0, 30, 31)] == [30, 30, None]


def test_waits_have_an_upper_bound() -> None:
    assert retries.RetryPolicy(frozenset(), 30, 10.0).delay(10_000, 0) == retries.LONGEST_SECONDS


def test_an_exception_without_a_policy_is_not_retried() -> None:
    written = {"ExceptionType": ["Step.THROTTLING"], "MaxAttempts": 3}
    assert (
        retries.policy_for(step("Training", TRAINING, RetryPolicies=[written]), "SageMaker.JOB_INTERNAL_ERROR") is None
    )
    assert retries.policies(step("Training", TRAINING)) == ()
