"""What carries a tag is found by it, whichever service keeps it; and what changes about a version is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pedigree.localaws.daemon import LocalAws
from tests.policies.places import sagemaker
from tests.support.local_aws import client

DOGS = [{"Key": "team", "Value": "dogs"}]
GROUP = sagemaker("model-package-group/dogs")
QUEUE = "arn:aws:sqs:us-east-1:123456789012:dogs"


def found(local: LocalAws, **asked: Any) -> list[str]:
    answer = client(local.url, "resourcegroupstaggingapi").get_resources(**asked)
    return sorted(one["ResourceARN"] for one in answer["ResourceTagMappingList"])


@pytest.fixture
def tagged(local: LocalAws) -> LocalAws:
    root = client(local.url, "sagemaker")
    root.create_model_package_group(ModelPackageGroupName="dogs", Tags=DOGS)
    root.create_model_package_group(ModelPackageGroupName="cats", Tags=[{"Key": "team", "Value": "cats"}])
    client(local.url, "sqs").create_queue(QueueName="dogs", tags={"team": "dogs"})
    return local


def test_resources_of_all_services_are_found_by_their_tags(tagged: LocalAws) -> None:
    assert found(tagged, TagFilters=[{"Key": "team", "Values": ["dogs"]}]) == [GROUP, QUEUE]
    assert found(tagged, TagFilters=[{"Key": "team"}]) == [sagemaker("model-package-group/cats"), GROUP, QUEUE]
    assert found(tagged, TagFilters=[{"Key": "team", "Values": ["mice"]}, {"Key": "team"}]) == []


def test_they_are_told_apart_by_their_kinds(tagged: LocalAws) -> None:
    dogs = [{"Key": "team", "Values": ["dogs"]}]
    assert found(tagged, TagFilters=dogs, ResourceTypeFilters=["sagemaker"]) == [GROUP]
    assert found(tagged, TagFilters=dogs, ResourceTypeFilters=["sagemaker:model-package-group"]) == [GROUP]
    assert GROUP not in found(tagged, TagFilters=dogs, ResourceTypeFilters=["sagemaker:endpoint"])


def test_what_is_gone_is_found_no_more(tagged: LocalAws) -> None:
    client(tagged.url, "sagemaker").delete_model_package_group(ModelPackageGroupName="dogs")
    assert GROUP not in found(tagged, TagFilters=[{"Key": "team"}])


def test_an_event_says_what_has_changed_about_a_version(tagged: LocalAws) -> None:
    root = client(tagged.url, "sagemaker")
    made = root.create_model_package(ModelPackageGroupName="dogs", ModelApprovalStatus="PendingManualApproval")
    told: list[Mapping[str, Any]] = []
    tagged.world.bus.subscribe(told.append)
    for _ in range(2):  # the second time, nothing is new
        root.update_model_package(ModelPackageArn=made["ModelPackageArn"], ModelApprovalStatus="Approved")
    assert [one["detail"]["UpdatedModelPackageFields"] for one in told] == [["ModelApprovalStatus"]]
