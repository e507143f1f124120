"""Lineage: SageMaker knows by itself what jobs, versions and endpoints came from, and clients add to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.control.service import ControlPlane
from pedigree.localaws.services.sagemaker.lineage import operations
from tests.support import worlds

ARN = f"arn:aws:sagemaker:us-east-1:{worlds.ACCOUNT}"
MODEL, TRAINING_IMAGE, SERVING_IMAGE = "s3://b/model.tar.gz", "training:1", "serving:1"
JOB = f"{ARN}:training-job/train"
COMPONENT = f"{ARN}:experiment-trial-component/train-aws-training-job"
VERSION = f"{ARN}:model-package/dogs/1"
DOCUMENTS: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("training-job", "train"): {
        "TrainingJobName": "train",
        "TrainingJobArn": JOB,
        "TrainingJobStatus": "Completed",
        "CreationTime": 1.0,
        "AlgorithmSpecification": {"TrainingImage": TRAINING_IMAGE},
        "InputDataConfig": [{"DataSource": {"S3DataSource": {"S3Uri": "s3://b/train"}}}],
        "ModelArtifacts": {"S3ModelArtifacts": MODEL},
    },
    ("model-package", "dogs/1"): {
        "ModelPackageName": "dogs/1",
        "ModelPackageGroupName": "dogs",
        "ModelPackageVersion": 1,
        "ModelPackageArn": VERSION,
        "ModelApprovalStatus": "Approved",
        "CreationTime": 2.0,
        "LastModifiedTime": 3.0,
        "InferenceSpecification": {"Containers": [{"Image": SERVING_IMAGE, "ModelDataUrl": MODEL}]},
    },
    ("model", "dogs"): {"ModelName": "dogs", "Containers": [{"ModelPackageName": VERSION}], "CreationTime": 4.0},
    ("endpoint-config", "dogs"): {"EndpointConfigName": "dogs", "ProductionVariants": [{"ModelName": "dogs"}]},
    ("endpoint", "dogs"): {
        "EndpointName": "dogs",
        "EndpointArn": f"{ARN}:endpoint/dogs",
        "EndpointConfigName": "dogs",
        "CreationTime": 5.0,
    },
}


class Lineage:
    """A SageMaker with a job, the version that was registered of its model, and the endpoint that serves it."""

    def __init__(self, world: World) -> None:
        for (kind, name), document in DOCUMENTS.items():
            world.store.put(kind, name, document)
        self._service = ControlPlane(world, (operations,))

    def __call__(self, operation: str, **request: Any) -> Mapping[str, Any]:
        return self._service.answer(operation, request)

    def around(self, arn: str) -> set[tuple[str, str, str]]:
        """Direction, type and kind of association of all that is next to an entity, as the SDK's viewer shows it."""
        before = self("ListAssociations", DestinationArn=arn, MaxResults=100)["AssociationSummaries"]
        after = self("ListAssociations", SourceArn=arn, MaxResults=100)["AssociationSummaries"]
        return {
            *(("Input", one["SourceType"], one["AssociationType"]) for one in before),
            *(("Output", one["DestinationType"], one["AssociationType"]) for one in after),
        }

    def artifact(self, address: str) -> str:
        (summary,) = self("ListArtifacts", SourceUri=address)["ArtifactSummaries"]
        return str(summary["ArtifactArn"])


@pytest.fixture
def lineage(tmp_path: Path) -> Lineage:
    return Lineage(worlds.world(tmp_path))


def test_a_job_has_a_component_with_what_it_read_and_wrote(lineage: Lineage) -> None:
    (component,) = lineage("ListTrialComponents", SourceArn=JOB)["TrialComponentSummaries"]
    assert component["TrialComponentArn"] == COMPONENT
    assert lineage("DescribeTrialComponent", TrialComponentName="train-aws-training-job")["Source"] == {
        "SourceArn": JOB,
        "SourceType": "SageMakerTrainingJob",
    }
    assert lineage.around(COMPONENT) == {
        ("Input", "DataSet", "ContributedTo"),
        ("Input", "Image", "ContributedTo"),
        ("Output", "Model", "Produced"),
    }


def test_a_version_has_its_parts_its_decision_its_group_and_its_deployment(lineage: Lineage) -> None:
    assert lineage.around(lineage.artifact(VERSION)) == {
        ("Input", "Model", "ContributedTo"),
        ("Input", "Image", "ContributedTo"),
        ("Input", "Approval", "ContributedTo"),
        ("Output", "ModelDeployment", "ContributedTo"),
        ("Output", "ModelGroup", "AssociatedWith"),
    }


def test_an_endpoint_is_a_context(lineage: Lineage) -> None:
    (context,) = lineage("ListContexts", SourceUri=f"{ARN}:endpoint/dogs")["ContextSummaries"]
    assert context["ContextType"] == "Endpoint"
    assert lineage.around(context["ContextArn"]) == {("Input", "ModelDeployment", "AssociatedWith")}


def found(lineage: Lineage, start: str, **request: Any) -> list[str]:
    answer = lineage("QueryLineage", StartArns=[start], **request)
    return [vertex["Type"] for vertex in answer["Vertices"]]


def test_a_query_walks_from_an_endpoint_to_the_data_of_its_model(lineage: Lineage) -> None:
    context = f"{ARN}:context/dogs-aws-endpoint"
    ascendants = {"Direction": "Ascendants", "Filters": {"LineageTypes": ["Artifact"], "Types": ["DataSet"]}}
    assert found(lineage, context, **ascendants) == ["DataSet"]
    assert found(lineage, context, Direction="Descendants") == []
    assert found(lineage, context, Direction="Both", MaxDepth=1) == ["ModelDeployment"]


def test_a_query_names_the_edges_it_went_along(lineage: Lineage) -> None:
    edges = lineage("QueryLineage", StartArns=[COMPONENT], Direction="Descendants", MaxDepth=1, IncludeEdges=True)[
        "Edges"
    ]
    assert edges == [{"SourceArn": COMPONENT, "DestinationArn": lineage.artifact(MODEL), "AssociationType": "Produced"}]


def action(name: str, **more: Any) -> dict[str, Any]:
    return {"ActionName": name, "ActionType": "Review", "Source": {"SourceUri": "https://example.com"}, **more}


def test_a_client_adds_an_action_to_what_is_known(lineage: Lineage) -> None:
    made = lineage("CreateAction", **action("Review-1", Properties={"by": "A"}))["ActionArn"]
    assert made == f"{ARN}:action/review-1"
    ends = {"SourceArn": lineage.artifact(MODEL), "DestinationArn": made}
    lineage("AddAssociation", **ends, AssociationType="ContributedTo")
    assert found(lineage, made, Direction="Ascendants", MaxDepth=2) == ["Model", "TrainingJob"]
    assert found(lineage, made, Filters={"Properties": {"by": "B"}}) == []
    lineage("UpdateAction", ActionName="Review-1", Status="Failed", PropertiesToRemove=["by"])
    described = lineage("DescribeAction", ActionName="Review-1")
    assert (described["Status"], described["Properties"]) == ("Failed", {})
    with pytest.raises(ServiceError, match="while it has associations"):
        lineage("DeleteAction", ActionName="Review-1")
    lineage("DeleteAssociation", **ends)
    lineage("DeleteAction", ActionName="Review-1")
    with pytest.raises(ServiceError, match="does not exist"):
        lineage("DescribeAction", ActionName="Review-1")


def test_there_is_one_artifact_for_an_address(lineage: Lineage) -> None:
    request = {"ArtifactType": "Model", "Source": {"SourceUri": MODEL}}
    with pytest.raises(ServiceError, match="already exists"):
        lineage("CreateArtifact", **request)
    lineage("CreateArtifact", ArtifactType="Report", Source={"SourceUri": "s3://b/report"})
    with pytest.raises(ServiceError, match="already exists"):
        lineage("CreateArtifact", ArtifactType="Report", Source={"SourceUri": "s3://b/report"})
    lineage("DeleteArtifact", Source={"SourceUri": "s3://b/report"})
    assert lineage("ListArtifacts", SourceUri="s3://b/report")["ArtifactSummaries"] == []


@pytest.mark.parametrize(
    ("operation", "request_", "words"),
    [
        ("DeleteArtifact", {"Source": {"SourceUri": MODEL}}, "was created by SageMaker"),
        ("QueryLineage", {"StartArns": [f"{ARN}:artifact/none"]}, "does not exist"),
        ("QueryLineage", {"StartArns": []}, "one ARN"),
        ("AddAssociation", {"SourceArn": COMPONENT, "DestinationArn": f"{ARN}:action/none"}, "does not exist"),
        ("DeleteAssociation", {"SourceArn": COMPONENT, "DestinationArn": COMPONENT}, "does not exist"),
        ("DescribeContext", {"ContextName": "none"}, "does not exist"),
    ],
)
def test_what_cannot_be_is_refused(lineage: Lineage, operation: str, request_: dict[str, Any], words: str) -> None:
    with pytest.raises(ServiceError, match=words):
        lineage(operation, **request_)


def test_lists_are_by_type_and_page_by_page(lineage: Lineage) -> None:
    for number in range(3):
        lineage("CreateAction", **action(f"review-{number}"))
    first = lineage("ListActions", ActionType="Review", MaxResults=2, SortBy="Name", SortOrder="Ascending")
    names = [summary["ActionName"] for summary in first["ActionSummaries"]]
    assert names == ["review-0", "review-1"]
    last = lineage("ListActions", ActionType="Review", MaxResults=2, SortBy="Name", NextToken=first["NextToken"])
    assert len(last["ActionSummaries"]) == 1
