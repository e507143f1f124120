"""Finds the images to train on: prepared by an execution, or any source that prepare.py reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from entrypoints import contract
from pedigree.account import executions
from pedigree.account.account import Account
from pedigree.account.errors import AbsentError
from pipeline.settings.tree import Settings
from steps import prepare_data

_EXECUTIONS = 10  # so many back is looked for prepared images


@dataclass(frozen=True)
class TrainingImages:
    """A folder of prepared images in S3, or a source to prepare first, and the reason for it."""

    prepared: str
    source: str
    why: str


def find(account: Account, settings: Settings, given: str) -> TrainingImages:
    """The images at the address, or of the newest execution that has some, or of the settings."""
    if given:
        address = given.rstrip("/")
        if _is_prepared(account, address):
            return TrainingImages(address, "", f"prepared images: {address}")
        return TrainingImages("", given, f"images that are prepared first: {given}")
    prepared = _newest(account, settings)
    if prepared:
        return TrainingImages(prepared, "", f"prepared images: {prepared}")
    source = settings.data.source_url(isolation=False)
    return TrainingImages("", source, f"images that are prepared first, since no execution has any: {source}")


def prepare_flags(settings: Settings) -> list[str]:
    """The options of prepare.py, as in the pipeline's own step."""
    splits = settings.data.splits
    return [
        *(contract.FLAG_IMAGE_SIZE, str(settings.data.image_size)),
        *(contract.FLAG_SPLITS, f"{splits.train},{splits.validation},{splits.test}"),
    ]


def _is_prepared(account: Account, address: str) -> bool:
    if not address.startswith("s3://"):
        return False
    bucket, _, key = address.removeprefix("s3://").partition("/")
    described = f"{key}/{contract.DATASET}/{contract.DATASET_FILE}".lstrip("/")
    return account.find("s3", "head_object", Bucket=bucket, Key=described) is not None


def _newest(account: Account, settings: Settings) -> str:
    """The prepared images of the newest execution that has some, its own or reused ones."""
    try:
        latest = list(islice(executions.listed(account, settings.pipeline.name), _EXECUTIONS))
    except AbsentError:
        return ""
    for execution in latest:
        for step in _preparations(account, execution.arn):
            made_by = step.get("CacheHitResult", {}).get("SourcePipelineExecutionArn", execution.arn)
            address = settings.site.uri("executions", made_by.rpartition("/")[2], prepare_data.NAME)
            if _is_prepared(account, address):
                return address
    return ""


def _preparations(account: Account, arn: str) -> Iterator[Mapping[str, Any]]:
    steps = account.each(
        "sagemaker", "list_pipeline_execution_steps", "PipelineExecutionSteps", PipelineExecutionArn=arn
    )
    return (step for step in steps if step["StepName"] == prepare_data.NAME and step["StepStatus"] == "Succeeded")
