"""The members of requests that the local AWS does not support: they are refused by name, and never ignored.

A path is written as members with dots between them; [] stands for every entry of a list. After = stands the value that
is not supported; without it, no value is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.language.expressions import is_expression
from pedigree.localaws.http.protocol.errors import InvalidRequestError

_TRAINING = (
    "AlgorithmSpecification.AlgorithmName",
    "AlgorithmSpecification.TrainingInputMode=Pipe",
    "InputDataConfig[].InputMode=Pipe",
    "InputDataConfig[].RecordWrapperType=RecordIO",
    "InputDataConfig[].DataSource.FileSystemDataSource",
    "InputDataConfig[].DataSource.DatasetSource",
    "InputDataConfig[].DataSource.S3DataSource.S3DataType=AugmentedManifestFile",
    "InputDataConfig[].DataSource.S3DataSource.S3DataType=Converse",
    "InputDataConfig[].DataSource.S3DataSource.InstanceGroupNames",
    "InputDataConfig[].DataSource.S3DataSource.HubAccessConfig",
    "ResourceConfig.InstanceGroups",
    "ResourceConfig.InstancePreferences",
)
_CONTAINER = ("AdditionalModelDataSources", "ModelDataSource.S3DataSource.ManifestS3Uri")

_MIXED = "Cannot use both 'Pipe' and 'FastFile' TrainingInputMode on the same Training Job."
UNSUPPORTED: Mapping[str, tuple[str, ...]] = {
    "CreateTrainingJob": (*_TRAINING, "ServerlessJobConfig", "ModelPackageConfig"),
    "CreateHyperParameterTuningJob": tuple(
        f"{definition}.{place}"
        for definition in ("TrainingJobDefinition", "TrainingJobDefinitions[]")
        for place in _TRAINING
    ),
    "CreateProcessingJob": (
        "ProcessingInputs[].DatasetDefinition",
        "ProcessingInputs[].S3Input.S3InputMode=Pipe",
        "ProcessingInputs[].S3Input.S3CompressionType=Gzip",
        "ProcessingOutputConfig.Outputs[].FeatureStoreOutput",
        "ProcessingResources.ClusterConfig.InstancePreferences",
    ),
    "CreateTransformJob": (
        "TransformInput.DataSource.S3DataSource.S3DataType=AugmentedManifestFile",
        "TransformInput.DataSource.S3DataSource.S3DataType=Converse",
    ),
    "CreateModel": tuple(
        f"{container}.{place}" for container in ("PrimaryContainer", "Containers[]") for place in _CONTAINER
    ),
    "CreateEndpointConfig": (
        "AsyncInferenceConfig.OutputConfig.NotificationConfig.SuccessTopic",
        "AsyncInferenceConfig.OutputConfig.NotificationConfig.ErrorTopic",
        "ExplainerConfig",
        "ProductionVariants[].InstancePools",
    ),
}


def refuse(operation: str, request: Any) -> None:
    """Refuse a request with an unsupported member. Expressions, whose values are not known yet, are not checked."""
    if operation == "CreateTrainingJob" and {"Pipe", "FastFile"} <= _input_modes(request):
        raise InvalidRequestError(_MIXED)  # which no account takes either, so this is the reason to give
    for place in UNSUPPORTED.get(operation, ()):
        members, _, value = place.partition("=")
        for path, wanted in _at(request, members.split("."), ""):
            if wanted in (None, [], {}) or (value and wanted != value):
                continue
            raise InvalidRequestError(f"The local AWS does not carry out {path}{f' {value}' if value else ''}.")


def _input_modes(request: Any) -> set[Any]:
    """The input modes of a training job's channels; the algorithm's is that of channels without one."""
    usual = [mode for _, mode in _at(request, ["AlgorithmSpecification", "TrainingInputMode"], "")]
    modes = [mode for _, mode in _at(request, ["InputDataConfig[]", "InputMode"], "")]
    return {mode for own in modes for mode in ([own] if own else usual) if isinstance(mode, str)}


def _at(document: Any, members: list[str], before: str) -> Iterator[tuple[str, Any]]:
    """The values at a path, each with its own path."""
    if not members:
        yield before, document
        return
    member, _, entries = members[0].partition("[")
    if not isinstance(document, Mapping) or is_expression(document):
        return
    inside, path = document.get(member), f"{before}.{member}".lstrip(".")
    if not entries:
        yield from _at(inside, members[1:], path)
        return
    for number, entry in enumerate(inside if isinstance(inside, list) else []):
        yield from _at(entry, members[1:], f"{path}[{number}]")
