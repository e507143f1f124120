"""The status of an endpoint, and the versions in the registry."""

from __future__ import annotations

import pytest

from pedigree.account import versions
from pedigree.account.apply import apply_change
from pedigree.account.endpoint_status import (
    AlarmStatus,
    InstanceCounts,
    Scaling,
    ScalingActivity,
    ScalingPolicy,
    report,
)
from pedigree.account.errors import AbsentError, CallRefusedError
from tests.support.fakes.endpoint_services import NOON, PACKAGE, FixedAnswers, alarms, registry, sagemaker, scaling
from tests.support.fakes.served_services import CALLER, account_with


def test_all_that_one_wants_to_know_of_an_endpoint() -> None:
    watched = alarms()
    account = account_with({"sagemaker": sagemaker(), "application-autoscaling": scaling(), "cloudwatch": watched})
    found = report(account, "dogs")
    policy = ScalingPolicy("target", "SageMakerVariantInvocationsPerInstance", 30.0, 300, 60, ("high", "low"))
    assert (found.status, found.configuration, found.next_configuration) == ("Updating", "dogs-v2", "dogs-v3")
    assert found.fleets == (
        InstanceCounts("AllTraffic", "version 2", "ml.m5.large", now=1, desired=3, scaling=Scaling(1, 3, (policy,))),
    )
    assert found.activities == (ScalingActivity(NOON, "Successful", "Setting to 3", "alarm high"),) * 5
    assert found.alarms == (
        AlarmStatus("errors", "OK", None, ""),
        AlarmStatus("high", "ALARM", NOON, "3 points above"),
        AlarmStatus("low", "is not there", None, ""),
    )


def test_an_endpoint_that_does_not_scale_and_has_no_alarms() -> None:
    plain = {"EndpointName": "dogs", "EndpointStatus": "Failed", "FailureReason": "no\ncapacity"}
    found = report(account_with({"sagemaker": FixedAnswers(describe_endpoint=plain)}), "dogs")
    assert (found.fleets, found.activities, found.alarms, found.reason) == ((), (), (), "no capacity")


def test_no_endpoint_says_where_one_comes_from() -> None:
    with pytest.raises(AbsentError, match="has no endpoint cats in us-east-1; the first execution that passes its"):
        report(account_with({"sagemaker": FixedAnswers()}), "cats")


def test_versions_the_newest_first_and_where_they_serve() -> None:
    account = account_with({"sagemaker": registry("Approved", "Rejected", "PendingManualApproval")})
    assert [version.number for version in versions.newest(account, "dog-breeds", 2)] == [3, 2]
    assert versions.served(account, "dogs") == {f"{PACKAGE}/2": "serves"}
    assert versions.served(account_with({"sagemaker": FixedAnswers()}), "dogs") == {}
    assert versions.newest(account_with({"sagemaker": FixedAnswers()}), "dog-breeds", 2) == []


def test_approving_says_who_approved() -> None:
    fake = registry("PendingManualApproval")
    change = versions.approve(account_with({"sagemaker": fake}), "dog-breeds", 1)
    assert change is not None
    assert change.why == ("it was PendingManualApproval", "the rule on approvals then brings it to its endpoint")
    apply_change(change, account_with({"sagemaker": fake}))
    assert fake.requests["update_model_package"] == {
        "ModelPackageArn": f"{PACKAGE}/1",
        "ModelApprovalStatus": "Approved",
        "ApprovalDescription": f"approved by {CALLER} with pedigree approve",
    }


def test_a_version_that_is_approved_is_left_alone() -> None:
    assert versions.approve(account_with({"sagemaker": registry("Approved")}), "dog-breeds", 1) is None


@pytest.mark.parametrize(
    ("fake", "kind", "message"),
    [
        (registry("Approved", "Rejected"), AbsentError, "group dog-breeds has no version 9; the last ones are 2, 1"),
        (FixedAnswers(), AbsentError, "group dog-breeds has no version 9; there is none; an execution registers one"),
        (
            registry(*["Rejected"] * 9, status="Failed"),
            CallRefusedError,
            "version 9 is Failed and cannot be deployed",
        ),
    ],
)
def test_a_version_that_cannot_be_approved(fake: FixedAnswers, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        versions.approve(account_with({"sagemaker": fake}), "dog-breeds", 9)
