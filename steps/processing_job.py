"""What the processing steps share: their machines, and the request around a script of entrypoints/."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from entrypoints import contract
from pedigree.aws.machines import menu
from steps import dag
from steps.build import Build
from steps.config import Config, JobSeconds, ProcessingInstance, Unique, VolumeGigabytes
from steps.parameters import ExecutionParameter, default_of

OUTPUT_FOLDER = f"{contract.PROCESSING}/output"
_RUN_SCRIPT = (
    f'cd {contract.PROCESSING}/input/{contract.CODE} && tar -xzf {contract.SOURCE_ARCHIVE} && exec python3 "$0" "$@"'
)


def _menu(processing: ProcessingConfig, _: object) -> tuple[str, ...]:
    return menu("Processing", processing.instance_type, processing.alternatives)


class ProcessingConfig(Config):
    """The machines of PrepareData and Evaluate."""

    instance_type: Annotated[ProcessingInstance, ExecutionParameter("ProcessingInstanceType", choices=_menu)] = (
        "ml.m5.xlarge"
    )
    alternatives: Unique[ProcessingInstance] = Field(default=(), max_length=50)
    """What an execution can choose instead; empty: the usual machines of the same kind."""
    volume_gigabytes: VolumeGigabytes = 30
    max_runtime_seconds: JobSeconds = 7200


def processing_request(
    config: ProcessingConfig,
    build: Build,
    *,
    step: str,
    script: str,
    arguments: Sequence[dag.Expression],
    inputs: Mapping[str, dag.Expression],
    outputs: Sequence[str],
    isolation: bool,
) -> dict[str, Any]:
    """The CreateProcessingJob request that runs a script on folders, each an input or output named by its channel."""
    channels = {contract.CODE: build.code.uri, **inputs}
    network = build.site.network
    return {
        "AppSpecification": {
            "ImageUri": build.image("training", default_of(config.instance_type)),
            "ContainerEntrypoint": ["/bin/bash", "-c", _RUN_SCRIPT, script],
            "ContainerArguments": list(arguments),
        },
        "Environment": {"PYTHONUNBUFFERED": "1"},
        "ProcessingInputs": [_input(name, uri) for name, uri in channels.items()],
        "ProcessingOutputConfig": {
            "Outputs": [_output(name, build.site.output(step, name)) for name in outputs],
            **build.site.encryption.output(),
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": config.instance_type,
                "VolumeSizeInGB": config.volume_gigabytes,
                **build.site.encryption.volume(default_of(config.instance_type)),
            }
        },
        "NetworkConfig": {
            "EnableInterContainerTrafficEncryption": network.encrypt_traffic,
            "EnableNetworkIsolation": isolation,
            **network.vpc(),
        },
        "RoleArn": build.site.role("job"),
        "StoppingCondition": {"MaxRuntimeInSeconds": config.max_runtime_seconds},
        "Tags": build.site.tag_list(),
    }


def input_folder(channel: str) -> str:
    """The folder of an input channel in a processing container."""
    return f"{contract.PROCESSING}/input/{channel}"


def output_uri(step: dag.Step, channel: str) -> dag.Expression:
    """The S3 address of an output channel of a finished processing step."""
    return step.properties.ProcessingOutputConfig.Outputs[channel].S3Output.S3Uri


def _input(name: str, uri: dag.Expression) -> dict[str, Any]:
    return {
        "InputName": name,
        "AppManaged": False,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": input_folder(name),
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        },
    }


def _output(name: str, uri: dag.Expression) -> dict[str, Any]:
    return {
        "OutputName": name,
        "AppManaged": False,
        "S3Output": {"S3Uri": uri, "LocalPath": f"{OUTPUT_FOLDER}/{name}", "S3UploadMode": "EndOfJob"},
    }
