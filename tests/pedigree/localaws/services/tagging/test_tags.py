"""Resources of every service are found by their tags, and events name the changed fields of a model package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pedigree.localaws.daemon import LocalAws
from tests.policies.arns import sagemaker
from tests.support.local_aws import client

DOGS = [{"Key": "team", "Value": "dogs"}]
GROUP = sagemaker("model-package-group/dogs")
QUEUE = "arn:aws:sqs:us-east-1:123456789012:dogs"


def find(local: LocalAws, **filters: Any) -> list[str]:
    answer = client(local.url, "resourcegroupstaggingapi").get_resources(**filters)
    return sorted(mapping["ResourceARN"] for mapping in answer["ResourceTagMappingList"])


@pytest.fixture
def tagged(local: LocalAws) -> LocalAws:
    root = client(local.url, "sagemaker")
    root.create_model_package_group(ModelPackageGroupName="dogs", Tags=DOGS)
    root.create_model_package_group(ModelPackageGroupName="cats", Tags=[{"Key": "team", "Value": "cats"}])
    client(local.url, "sqs").create_queue(QueueName="dogs", tags={"team": "dogs"})
    return local


def test_resources_of_all_services_are_found_by_their_tags(tagged: LocalAws) -> None:
    assert find(tagged, TagFilters=[{"Key": "team", "Values": ["dogs"]}]) == [GROUP, QUEUE]
    assert find(tagged, TagFilters=[{"Key": "team"}]) == [sagemaker("model-package-group/cats"), GROUP, QUEUE]
    assert find(tagged, TagFilters=[{"Key": "team", "Values": ["mice"]}, {"Key": "team"}]) == []


def test_resources_are_filtered_by_type(tagged: LocalAws) -> None:
    dogs = [{"Key": "team", "Values": ["dogs"]}]
    assert find(tagged, TagFilters=dogs, ResourceTypeFilters=["sagemaker"]) == [GROUP]
    assert find(tagged, TagFilters=dogs, ResourceTypeFilters=["sagemaker:model-package-group"]) == [GROUP]
    assert GROUP not in find(tagged, TagFilters=dogs, ResourceTypeFilters=["sagemaker:endpoint"])


def test_a_deleted_resource_is_not_found(tagged: LocalAws) -> None:
    client(tagged.url, "sagemaker").delete_model_package_group(ModelPackageGroupName="dogs")
    assert GROUP not in find(tagged, TagFilters=[{"Key": "team"}])


def test_an_event_names_the_changed_fields_of_a_model_package(tagged: LocalAws) -> None:
    root = client(tagged.url, "sagemaker")
    package = root.create_model_package(ModelPackageGroupName="dogs", ModelApprovalStatus="PendingManualApproval")
    events: list[Mapping[str, Any]] = []
    tagged.world.bus.subscribe(events.append)
    for _ in range(2):  # the second time, nothing is new
        root.update_model_package(ModelPackageArn=package["ModelPackageArn"], ModelApprovalStatus="Approved")
    assert [event["detail"]["UpdatedModelPackageFields"] for event in events] == [["ModelApprovalStatus"]]
