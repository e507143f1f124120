"""Cleanup steps: delete what steps before them have written to S3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.language.pointers import at
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.services.sagemaker.executions.steps.runner import Attempt, StepResult
from pedigree.localaws.services.sagemaker.executions.steps.services import StepServices

_LONGEST_MESSAGE = 2048


class CleanupRunner:
    """Runs a step that deletes outputs. After a restart they are deleted again, which changes nothing."""

    def __init__(self, services: StepServices) -> None:
        self._services = services

    def start(self, attempt: Attempt) -> Mapping[str, Any]:
        cleaned, skipped, failed = list[str](), list[str](), list[Mapping[str, str]]()
        for source in at(attempt.arguments, "Resources", "S3") or ():
            name = str(source.get("StepName", ""))
            described = attempt.active.records.described.get(name)
            if described is None or not (addresses := _addresses(source, described)):
                skipped.append(name)
                continue
            try:
                self._delete(attempt, name, described, addresses)
            except ServiceError as error:
                failed.append(
                    {"StepName": name, "ErrorCode": "ClientError", "ErrorMessage": str(error)[:_LONGEST_MESSAGE]}
                )
            else:
                cleaned.append(name)
        return {"Cleanup": {"CleanedSteps": cleaned, "SkippedSteps": skipped, "FailedSteps": failed}}

    def poll(self, attempt: Attempt) -> StepResult:
        failed = attempt.record["Metadata"]["Cleanup"]["FailedSteps"]
        if failed:
            words = "; ".join(f"{failure['StepName']}: {failure['ErrorMessage']}" for failure in failed)
            return StepResult("Failed", reason=f"ClientError: {words}")
        return StepResult("Succeeded")

    def stop(self, attempt: Attempt) -> None:
        """Do nothing: the step has ended already."""

    def _delete(self, attempt: Attempt, name: str, described: Mapping[str, Any], addresses: list[str]) -> None:
        places = tuple(f"{place.rstrip('/')}/" for place in _places(described))
        for address in addresses:
            if places and not address.startswith(places):
                raise ServiceError("ValidationException", f"{address} is not under the output location of {name}")
            self._services.delete(attempt, address)


def _addresses(source: Mapping[str, Any], described: Mapping[str, Any]) -> list[str]:
    """The objects to delete: those that the step names, or a training job's model."""
    named = source.get("S3Uris")
    if isinstance(named, list):
        return [str(address) for address in named]
    model = at(described, "ModelArtifacts", "S3ModelArtifacts")
    return [str(model)] if model else []


def _places(described: Mapping[str, Any]) -> Iterator[str]:
    """Where a step writes to."""
    for output in at(described, "ProcessingOutputConfig", "Outputs") or ():
        if address := at(output, "S3Output", "S3Uri"):
            yield str(address)
    for members in (("TransformOutput", "S3OutputPath"), ("OutputDataConfig", "S3OutputPath")):
        if address := at(described, *members):
            yield str(address)
