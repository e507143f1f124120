"""RegisterModel: registers a version of the model with its metrics and its origin."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from entrypoints import contract
from steps import dag
from steps.build import Build
from steps.config import Config, EndpointInstance, HyphenatedName, Unique
from steps.evaluate import champion_uri, evaluation_uri, evaluation_value
from steps.parameters import ExecutionParameter
from steps.prepare_data import dataset_hash

NAME = "RegisterModel"
Approval = Literal["Approved", "PendingManualApproval", "Rejected"]
_SERVING = {
    "SAGEMAKER_PROGRAM": contract.INFERENCE,
    "SAGEMAKER_SUBMIT_DIRECTORY": f"{contract.MODEL}/{contract.CODE_OF_A_MODEL}",
    "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
}


class RegistryConfig(Config):
    """The model registry, and the machines that versions are for."""

    group: HyphenatedName = "dog-breeds"
    """The model package group."""
    approval: Annotated[Approval, ExecutionParameter("ModelApprovalStatus")] = "Approved"
    """PendingManualApproval: registered, but not deployed."""
    inference_instance_types: Unique[EndpointInstance] = Field(
        default=("ml.m5.large", "ml.m5.xlarge", "ml.c5.xlarge", "ml.c6i.xlarge"), min_length=1, max_length=50
    )
    """The machines that endpoints may use."""


def register_model(config: RegistryConfig, build: Build, *, data: dag.Step, evaluation: dag.Step) -> dag.Step:
    """The step; the champion's archive contains its own serving code, so nothing is repacked."""
    container = {
        "Image": build.image("inference", config.inference_instance_types[0]),
        "ModelDataUrl": champion_uri(evaluation),
        "Framework": "PYTORCH",
        "FrameworkVersion": build.images.inference.version,
        "Environment": _SERVING,
    }
    statistics = {"ContentType": contract.JSON_TYPE, "S3Uri": evaluation_uri(evaluation)}
    key = build.site.encryption.output()
    request = {
        "ModelPackageGroupName": config.group,
        "ModelPackageDescription": "The champion of one execution of the pipeline.",
        "InferenceSpecification": {
            "Containers": [container],
            "SupportedContentTypes": [*contract.PICTURE_TYPES, contract.JSON_TYPE],
            "SupportedResponseMIMETypes": [contract.JSON_TYPE],
            "SupportedRealtimeInferenceInstanceTypes": list(config.inference_instance_types),
        },
        "ModelMetrics": {"ModelQuality": {"Statistics": statistics}},
        "ModelApprovalStatus": config.approval,
        "CustomerMetadataProperties": {
            contract.METADATA_DATASET: dataset_hash(data),
            contract.METADATA_CODE: build.code.sha256,
            contract.METADATA_CHAMPION: evaluation_value(evaluation, contract.CHAMPION_NAME),
            contract.METADATA_EXECUTION: dag.ExecutionVariables.PIPELINE_EXECUTION_ID,
        },
        **({"SecurityConfig": key} if key else {}),
    }
    description = "Registers the champion with its metrics, its lineage and what it runs on."
    return build.step(NAME, "registry", request, description=description)


def package_arn(step: dag.Step) -> dag.Expression:
    """The ARN of the registered version."""
    return step.properties.ModelPackageArn
