"""Lineage steps: note artifacts, actions and contexts, and what connects them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.language.pointers import entries
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.executions.steps.invocations import exists, invoke
from pedigree.localaws.services.sagemaker.executions.steps.runner import Attempt, StepResult
from pedigree.localaws.services.sagemaker.executions.steps.services import StepServices
from pedigree.localaws.services.sagemaker.resources.lineage_arns import artifact_arn, entity_arn

_KINDS = ("Action", "Artifact", "Context")


class LineageRunner:
    """Runs a step that creates entities of lineage, all at once.

    What is there already is taken as it is: an entity of an earlier execution, or of this one before a restart.
    """

    def __init__(self, services: StepServices) -> None:
        self._services = services

    def start(self, attempt: Attempt) -> Mapping[str, Any]:
        created = {kind: dict(self._created(attempt, kind)) for kind in _KINDS}
        associations = [
            self._associated(attempt, association, created)
            for _, association in entries(attempt.arguments.get("Associations"))
        ]
        arns = {f"{kind}Arns": by_name for kind, by_name in created.items()}
        return {"Lineage": {**arns, "Associations": associations}}

    def poll(self, attempt: Attempt) -> StepResult:
        return StepResult("Succeeded", attempt.record["Metadata"]["Lineage"])

    def stop(self, attempt: Attempt) -> None:
        """Do nothing: the step has ended already."""

    def _created(self, attempt: Attempt, kind: str) -> Iterator[tuple[str, str]]:
        """The names of the entities of a kind, each with its ARN."""
        for _, request in entries(attempt.arguments.get(f"{kind}s")):
            try:
                answer = invoke(self._services, attempt, f"Create{kind}", request)
            except ServiceError as error:
                if not exists(error):
                    raise
                answer = {f"{kind}Arn": _arn_of_existing(attempt.world, kind, request)}
            yield str(request.get(f"{kind}Name", "")), str(answer[f"{kind}Arn"])

    def _associated(
        self, attempt: Attempt, association: Mapping[str, Any], created: Mapping[str, Mapping[str, str]]
    ) -> Mapping[str, str]:
        ends = {f"{end}Arn": _arn(association.get(end), created) for end in ("Source", "Destination")}
        kind = association.get("AssociationType")
        try:
            invoke(self._services, attempt, "AddAssociation", {**ends, **({"AssociationType": kind} if kind else {})})
        except ServiceError as error:
            if not exists(error):
                raise
        return ends


def _arn_of_existing(world: World, kind: str, request: Mapping[str, Any]) -> str:
    if kind == "Artifact":
        return artifact_arn(world, str(request["Source"]["SourceUri"]))
    return entity_arn(world, kind.lower(), str(request[f"{kind}Name"]))


def _arn(end: Any, created: Mapping[str, Mapping[str, str]]) -> str:
    """The ARN of one end of an association: an entity of the same step by its name and type, or an ARN as it is."""
    if not isinstance(end, Mapping):
        return str(end)
    name, kind = str(end.get("Name", "")), str(end.get("Type", ""))
    if "Arn" in end:
        return str(end["Arn"])
    if name not in created.get(kind, {}):
        raise ServiceError("ValidationException", f"The step creates no {kind} with the name {name}.")
    return created[kind][name]
