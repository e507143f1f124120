"""What a running execution knows at one moment, from which the expressions of all its steps are resolved."""

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
from pedigree.localaws.services.sagemaker.executions.values import Resolver


@dataclass(frozen=True)
class ExecutionContext:
    """What expressions can refer to: parameters, the execution itself, and steps that have succeeded.

    read returns the content of an object, as the execution's role may read it.
    """

    world: World
    execution: Document
    definition: Definition
    steps: Mapping[str, Document]
    read: Callable[[str], bytes]

    def resolver(self, step: str) -> Resolver:
        """The resolver for a step's expressions."""
        return Resolver(
            parameters=self.execution["_parameters"],
            execution={**self._execution_values, "TrainingJobName": step, "ProcessingJobName": step},
            described=self._described,
            property_files=self._property_files,
            read_json=self._json_at,
        )

    @cached_property
    def _execution_values(self) -> Mapping[str, str]:
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
        succeeded = {name: step for name, step in self.steps.items() if step["StepStatus"] == "Succeeded"}
        return {name: step.get("_described") or {} for name, step in succeeded.items()}

    @cached_property
    def _property_files(self) -> Mapping[tuple[str, str], str]:
        """The address of each property file of an ended step, by the names of step and file."""
        found: dict[tuple[str, str], str] = {}
        for step in self.definition.all_steps():
            outputs = self._described.get(step.name, {}).get("ProcessingOutputConfig", {}).get("Outputs", [])
            addresses = {
                output["OutputName"]: output["S3Output"]["S3Uri"] for output in outputs if "S3Output" in output
            }
            for file in step.property_files:
                if file.output in addresses:
                    found[step.name, file.name] = f"{addresses[file.output].rstrip('/')}/{file.path}"
        return found

    def _json_at(self, address: str) -> Any:
        try:
            return json.loads(self.read(address))
        except KeyError:
            raise ValueMissingError(f"{address} is not there, so nothing in it can be read") from None
        except ValueError as error:
            raise ValueMissingError(f"{address} is no JSON: {error}") from None
