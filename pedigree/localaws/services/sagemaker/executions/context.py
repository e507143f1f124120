"""What an execution knows at a moment, gathered from the store once for all of its steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pedigree.language.definition import Definition
from pedigree.localaws.kernel.errors import ValueMissingError
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.executions import state
from pedigree.localaws.services.sagemaker.executions.values import Known


@dataclass(frozen=True)
class Knowledge:
    """What can be referred to: parameters, the execution itself, and steps that have succeeded.

    Property files are read as the execution's role reads them.
    """

    world: World
    execution: Document
    definition: Definition
    steps: Mapping[str, Document]
    read: Callable[[str], bytes]

    def for_step(self, name: str) -> Known:
        """The same for every step but for the facts about itself."""
        return Known(
            parameters=self.execution["_parameters"],
            facts={**self._facts, "TrainingJobName": name, "ProcessingJobName": name},
            described=self._described,
            property_files=self._property_files,
            read_json=self._json_at,
        )

    @cached_property
    def _facts(self) -> Mapping[str, str]:
        arn = self.execution["PipelineExecutionArn"]
        return {
            "PipelineName": self.execution["_pipeline"],
            "PipelineArn": self.execution["PipelineArn"],
            "PipelineExecutionArn": arn,
            "PipelineExecutionId": state.id_of(arn),
            "StartDateTime": self.execution["CreationTime"],
            "CurrentDateTime": self.world.now(),
        }

    @cached_property
    def _described(self) -> Mapping[str, Any]:
        succeeded = {name: one for name, one in self.steps.items() if one["StepStatus"] == "Succeeded"}
        return {name: one.get("_described") or {} for name, one in succeeded.items()}

    @cached_property
    def _property_files(self) -> Mapping[tuple[str, str], str]:
        """Where each property file of an ended step lies, by step and name."""
        found: dict[tuple[str, str], str] = {}
        for step in self.definition.all_steps():
            outputs = self._described.get(step.name, {}).get("ProcessingOutputConfig", {}).get("Outputs", [])
            places = {one["OutputName"]: one["S3Output"]["S3Uri"] for one in outputs if "S3Output" in one}
            for file in step.property_files:
                if file.output in places:
                    found[step.name, file.name] = f"{places[file.output].rstrip('/')}/{file.path}"
        return found

    def _json_at(self, address: str) -> Any:
        try:
            return json.loads(self.read(address))
        except KeyError:
            raise ValueMissingError(f"{address} is not there, so nothing in it can be read") from None
        except ValueError as error:
            raise ValueMissingError(f"{address} is no JSON: {error}") from None
