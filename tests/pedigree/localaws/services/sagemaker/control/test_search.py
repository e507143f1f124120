"""Search finds and sorts resources by their members; further operations of the registry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.control import operations
from pedigree.localaws.services.sagemaker.control.service import ControlPlane
from pedigree.localaws.services.sagemaker.jobs.resource import TRAINING
from pedigree.localaws.services.sagemaker.resources import registry_operations, tag_operations
from tests.support import worlds


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = worlds.world(tmp_path)
    for number, name in enumerate(("one", "two", "three"), start=1):
        job = {"TrainingJobName": name, "Tags": [{"Key": "team", "Value": f"t{number}"}]}
        metric = {"MetricName": "val.accuracy", "Value": number / 10, "Timestamp": 0}
        TRAINING.create(
            made,
            {**job, "HyperParameters": {"epochs": str(number * 5)}, "InputDataConfig": [{"ChannelName": f"c{number}"}]},
            TrainingJobStatus="Completed" if number > 1 else "Failed",
            LastModifiedTime=f"2026-01-0{number}T00:00:00+00:00",
            FinalMetricDataList=[metric],
            **({"FailureReason": "out of memory"} if number == 1 else {}),
        )
    return made


def call(world: World, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    return ControlPlane(world, (operations, registry_operations, tag_operations)).answer(operation, request)


def found(world: World, expression: dict[str, Any], **more: Any) -> list[str]:
    answer = call(world, "Search", {"Resource": "TrainingJob", "SearchExpression": expression, **more})
    return [result["TrainingJob"]["TrainingJobName"] for result in answer["Results"]]


def name_is(operator: str, value: str = "", name: str = "TrainingJobName") -> dict[str, Any]:
    condition = {"Name": name, "Operator": operator, **({"Value": value} if value else {})}
    return {"Filters": [condition]}


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ({}, ["three", "two", "one"]),
        (name_is("Equals", "two"), ["two"]),
        (name_is("NotEquals", "two"), ["three", "one"]),
        (name_is("Contains", "o"), ["two", "one"]),
        (name_is("In", "one, three"), ["three", "one"]),
        (name_is("Exists", name="FailureReason"), ["one"]),
        (name_is("NotExists", name="FailureReason"), ["three", "two"]),
        (name_is("GreaterThan", "5", "HyperParameters.epochs"), ["three", "two"]),
        (name_is("LessThanOrEqualTo", "0.2", "Metrics.val.accuracy"), ["two", "one"]),
        (name_is("LessThan", "2026-01-02T00:00:00", "LastModifiedTime"), ["one"]),
        (name_is("Equals", "t2", "Tags.team"), ["two"]),
        ({"SubExpressions": [name_is("Equals", "one"), name_is("Equals", "two")], "Operator": "Or"}, ["two", "one"]),
        ({"SubExpressions": [name_is("Equals", "one"), name_is("Equals", "two")]}, []),
        (
            {
                "NestedFilters": [
                    {
                        "NestedPropertyName": "InputDataConfig",
                        "Filters": [{"Name": "InputDataConfig.ChannelName", "Operator": "Equals", "Value": "c3"}],
                    }
                ]
            },
            ["three"],
        ),
    ],
)
def test_what_fits_is_found_the_newest_first(world: World, expression: dict[str, Any], names: list[str]) -> None:
    assert found(world, expression) == names


def test_results_are_sorted_and_come_in_pages(world: World) -> None:
    sorting: dict[str, Any] = {"SortBy": "Metrics.val.accuracy", "SortOrder": "Ascending", "MaxResults": 2}
    first = call(world, "Search", {"Resource": "TrainingJob", **sorting})
    assert ([result["TrainingJob"]["TrainingJobName"] for result in first["Results"]]) == ["one", "two"]
    assert first["TotalHits"] == {"Value": 3, "Relation": "EqualTo"}
    assert first["Results"][0]["TrainingJob"]["Tags"] == [{"Key": "team", "Value": "t1"}]
    assert found(world, {}, **sorting, NextToken=first["NextToken"]) == ["three"]


@pytest.mark.parametrize(
    ("request_body", "message"),
    [
        ({"Resource": "Experiment"}, "and no Experiment"),
        ({"Resource": "TrainingJob", "SortBy": "Colour"}, "Unknown property name: Colour"),
        ({"Resource": "TrainingJob", "SearchExpression": name_is("Equals", "a", "Colour")}, "Unknown property name"),
        ({"Resource": "TrainingJob", "SearchExpression": name_is("Equals")}, "needs a Value with Equals"),
        ({"Resource": "TrainingJob", "SearchExpression": name_is("Exists", "a")}, "needs no Value with Exists"),
    ],
)
def test_what_cannot_be_searched_is_refused(world: World, request_body: dict[str, Any], message: str) -> None:
    with pytest.raises(ServiceError, match=message):
        call(world, "Search", request_body)


def test_packages_are_described_together_and_missing_ones_are_errors(world: World) -> None:
    call(world, "CreateModelPackageGroup", {"ModelPackageGroupName": "dogs"})
    request = {"ModelPackageGroupName": "dogs", "ModelApprovalStatus": "Approved", "ClientToken": "a" * 36}
    arn = call(world, "CreateModelPackage", request)["ModelPackageArn"]
    missing = f"{arn[:-1]}9"
    answer = call(world, "BatchDescribeModelPackage", {"ModelPackageArnList": [arn, missing]})
    assert answer["ModelPackageSummaries"][arn]["ModelApprovalStatus"] == "Approved"
    assert answer["BatchDescribeModelPackageErrorMap"][missing]["ErrorCode"] == "ValidationException"
    found_packages = call(world, "Search", {"Resource": "ModelPackage"})["Results"]
    assert [package["ModelPackage"]["ModelPackageArn"] for package in found_packages] == [arn]


def test_a_groups_policy_stays_until_it_is_deleted(world: World) -> None:
    group = {"ModelPackageGroupName": "dogs"}
    reading = {"Effect": "Allow", "Principal": "*", "Action": "sagemaker:DescribeModelPackage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [reading]})
    call(world, "CreateModelPackageGroup", group)
    with pytest.raises(ServiceError, match="is no JSON document"):
        call(world, "PutModelPackageGroupPolicy", {**group, "ResourcePolicy": "all"})
    call(world, "PutModelPackageGroupPolicy", {**group, "ResourcePolicy": policy})
    assert call(world, "GetModelPackageGroupPolicy", group) == {"ResourcePolicy": policy}
    call(world, "DeleteModelPackageGroupPolicy", group)
    with pytest.raises(ServiceError, match="Cannot find resource policy for"):
        call(world, "GetModelPackageGroupPolicy", group)
