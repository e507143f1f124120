"""Lineage steps note what they name, and connect it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.local_sagemaker import LocalSageMaker, function

MODEL = {"ArtifactName": "model", "ArtifactType": "Model", "Source": {"SourceUri": "s3://bucket/model.tar.gz"}}
APPROVAL = {"ActionName": "Approval", "ActionType": "Approval", "Source": {"SourceUri": "s3://bucket/approval"}}
PROJECT = {"ContextName": "Project", "ContextType": "Project", "Source": {"SourceUri": "https://example.com"}}


def edge(source: Any, destination: Any) -> dict[str, Any]:
    return {"Source": source, "Destination": destination, "AssociationType": "ContributedTo"}


def remember(*associations: dict[str, Any], actions: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    entities = {"Artifacts": [MODEL], "Actions": [APPROVAL] if actions is None else actions, "Contexts": [PROJECT]}
    return {"Name": "Remember", "Type": "Lineage", "Arguments": {**entities, "Associations": list(associations)}}


APPROVED = edge({"Name": "model", "Type": "Artifact"}, {"Name": "Approval", "Type": "Action"})


@pytest.fixture
def sagemaker(tmp_path: Path) -> LocalSageMaker:
    return LocalSageMaker(tmp_path)


def test_a_step_creates_entities_and_connects_them(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(remember(APPROVED))
    assert sagemaker.go(arn) == "Succeeded"
    noted = sagemaker.steps(arn)["Remember"]["Metadata"]["Lineage"]
    action, artifact = noted["ActionArns"]["Approval"], noted["ArtifactArns"]["model"]
    assert noted["Associations"] == [{"SourceArn": artifact, "DestinationArn": action}]
    listed = sagemaker.service.answer("ListAssociations", {"DestinationArn": action})["AssociationSummaries"]
    assert [(one["SourceType"], one["SourceName"], one["AssociationType"]) for one in listed] == [
        ("Model", "model", "ContributedTo")
    ]


def test_the_next_execution_takes_what_is_there(sagemaker: LocalSageMaker) -> None:
    first, second = (sagemaker.start(remember(APPROVED)) for _ in range(2))
    assert (sagemaker.go(first), sagemaker.go(second)) == ("Succeeded", "Succeeded")
    noted = [sagemaker.steps(arn)["Remember"]["Metadata"]["Lineage"] for arn in (first, second)]
    assert noted[0] == noted[1]


def test_a_later_step_refers_to_an_entity(sagemaker: LocalSageMaker) -> None:
    told = {**function("Tell"), "Arguments": {"action": {"Get": "Steps.Remember.ActionArns['Approval']"}}}
    arn = sagemaker.start(remember(), told)
    assert sagemaker.go(arn) == "Succeeded"
    assert sagemaker.statuses(arn)["Tell"] == "Succeeded"


def test_an_association_needs_an_entity_of_its_step(sagemaker: LocalSageMaker) -> None:
    arn = sagemaker.start(remember(APPROVED, actions=[]))
    assert sagemaker.go(arn) == "Failed"
    assert "creates no Action with the name Approval" in sagemaker.steps(arn)["Remember"]["FailureReason"]


def test_an_association_may_lead_to_an_arn(sagemaker: LocalSageMaker) -> None:
    sagemaker.service.answer("CreateAction", {**APPROVAL, "ActionName": "Other"})
    other = sagemaker.service.answer("DescribeAction", {"ActionName": "Other"})["ActionArn"]
    arn = sagemaker.start(remember(edge({"Name": "model", "Type": "Artifact"}, {"Arn": other})))
    assert sagemaker.go(arn) == "Succeeded"
