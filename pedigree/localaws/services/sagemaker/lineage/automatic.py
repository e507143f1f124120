"""The entities that SageMaker keeps by itself: for jobs, versions of models, and endpoints.

They follow from the documents of these, so they are made when somebody asks, and nothing is stored twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pedigree.language.pointers import at, entries
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.lineage.entities import (
    ACTION,
    ARTIFACT,
    COMPONENT,
    CONTEXT,
    Association,
    Entity,
)
from pedigree.localaws.services.sagemaker.resources.lineage_arns import artifact_arn, entity_arn

Located: TypeAlias = Iterator[tuple[Any, str]]
"""Addresses, each with the type of its artifact."""
_DECIDED = ("Approved", "Rejected")


@dataclass(frozen=True)
class JobLineage:
    """What of a kind of job becomes artifacts."""

    job: str
    inputs: Callable[[Document], Located]
    outputs: Callable[[Document], Located]

    @property
    def suffix(self) -> str:
        return f"aws-{self.job.removesuffix('Job').lower()}-job"

    def of(self, job: Document, world: World) -> Iterator[Entity | Association]:
        """The trial component of a job, and the artifacts that it read and wrote."""
        name, created = f"{job[f'{self.job}Name']}-{self.suffix}", job["CreationTime"]
        component = Entity(
            COMPONENT,
            {
                "TrialComponentName": name,
                "TrialComponentArn": entity_arn(world, COMPONENT.arn_path, name),
                "DisplayName": name,
                "Source": {"SourceArn": job[f"{self.job}Arn"], "SourceType": f"SageMaker{self.job}"},
                "Status": {"PrimaryStatus": job[f"{self.job}Status"]},
                "CreationTime": created,
                "LastModifiedTime": job.get("LastModifiedTime", created),
            },
        )
        yield component
        for address, kind in self.inputs(job):
            if read := artifact(address, kind, created, world):
                yield from (read, Association(read.arn, component.arn, "ContributedTo", created))
        for address, kind in self.outputs(job):
            if written := artifact(address, kind, created, world):
                yield from (written, Association(component.arn, written.arn, "Produced", created))


def artifact(address: Any, kind: str, created: Any, world: World) -> Entity | None:
    """The artifact of an address, of which there is one; None without an address."""
    if not isinstance(address, str) or not address:
        return None
    members = {"Source": {"SourceUri": address, "SourceTypes": []}, "ArtifactType": kind}
    times = {"CreationTime": created, "LastModifiedTime": created}
    return Entity(ARTIFACT, {"ArtifactArn": artifact_arn(world, address), **members, **times})


def of_package(package: Document, group_arn: str, world: World) -> Iterator[Entity | Association]:
    """A version of a model: its data and images, the decision about it, and its group."""
    created = package["CreationTime"]
    version = artifact(package["ModelPackageArn"], "ModelPackage", created, world)
    assert version is not None
    yield version
    for _, container in entries(at(package, "InferenceSpecification", "Containers")):
        yield from _parts(container, version.arn, created, world)
    if "ModelPackageVersion" not in package:
        return
    name, status = str(package["ModelPackageName"]).replace("/", "-"), package.get("ModelApprovalStatus", "")
    if status in _DECIDED:
        decided = package.get("LastModifiedTime", created)
        title = f"{name}-{status}-{_seconds(decided)}-aws-model-group"
        decision = _named(ACTION, title, "Approval", package["ModelPackageArn"], decided, world, Status="Completed")
        yield from (decision, Association(decision.arn, version.arn, "ContributedTo", decided))
    group = _named(CONTEXT, f"{name}-aws-model-group", "ModelGroup", group_arn, created, world)
    yield from (group, Association(version.arn, group.arn, "AssociatedWith", created))


def of_endpoint(
    endpoint: Document, containers: Iterator[Mapping[str, Any]], packages: Iterator[str], world: World
) -> Iterator[Entity | Association]:
    """An endpoint: its deployment, and what serves there."""
    created, name, address = endpoint["CreationTime"], endpoint["EndpointName"], endpoint["EndpointArn"]
    serving = _named(CONTEXT, f"{name}-aws-endpoint", "Endpoint", address, created, world)
    title = f"{name}-{_seconds(created)}-aws-endpoint"
    deployment = _named(ACTION, title, "ModelDeployment", address, created, world, Status="Completed")
    yield from (serving, deployment, Association(deployment.arn, serving.arn, "AssociatedWith", created))
    for container in containers:
        yield from _parts(container, deployment.arn, created, world)
    for package in packages:
        yield Association(artifact_arn(world, package), deployment.arn, "ContributedTo", created)


def _parts(container: Mapping[str, Any], of: str, created: Any, world: World) -> Iterator[Entity | Association]:
    """The model's data and the image of a container, which something was made of."""
    for member, kind in (("ModelDataUrl", "Model"), ("Image", "Image")):
        if part := artifact(container.get(member), kind, created, world):
            yield from (part, Association(part.arn, of, "ContributedTo", created))


def _named(kind: Any, name: str, of_type: str, address: str, created: Any, world: World, **more: Any) -> Entity:
    members = {kind.name_member: name, kind.arn_member: entity_arn(world, kind.arn_path, name)}
    described = {kind.type_member: of_type, "Source": {"SourceUri": address}, **more}
    return Entity(kind, {**members, **described, "CreationTime": created, "LastModifiedTime": created})


def _seconds(time: Any) -> str:
    return str(int(time)) if isinstance(time, (int, float)) else "".join(filter(str.isdigit, str(time)))


def _read_by_training(job: Document) -> Located:
    for _, channel in entries(job.get("InputDataConfig")):
        yield at(channel, "DataSource", "S3DataSource", "S3Uri"), "DataSet"
    yield at(job, "AlgorithmSpecification", "TrainingImage"), "Image"


def _written_by_training(job: Document) -> Located:
    yield at(job, "ModelArtifacts", "S3ModelArtifacts"), "Model"
    yield at(job, "CheckpointConfig", "S3Uri"), "Checkpoint"


def _read_by_processing(job: Document) -> Located:
    for _, given in entries(job.get("ProcessingInputs")):
        yield at(given, "S3Input", "S3Uri"), "DataSet"
    yield at(job, "AppSpecification", "ImageUri"), "Image"


def _written_by_processing(job: Document) -> Located:
    for _, output in entries(at(job, "ProcessingOutputConfig", "Outputs")):
        yield at(output, "S3Output", "S3Uri"), "DataSet"


def _read_by_transform(job: Document) -> Located:
    yield at(job, "TransformInput", "DataSource", "S3DataSource", "S3Uri"), "DataSet"


def _written_by_transform(job: Document) -> Located:
    yield at(job, "TransformOutput", "S3OutputPath"), "DataSet"


JOBS = (
    JobLineage("TrainingJob", _read_by_training, _written_by_training),
    JobLineage("ProcessingJob", _read_by_processing, _written_by_processing),
    JobLineage("TransformJob", _read_by_transform, _written_by_transform),
)
