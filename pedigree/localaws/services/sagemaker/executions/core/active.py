"""A running execution in the executor: read once, and read again when a client has changed it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, TypeAlias

from pedigree.language import definition
from pedigree.language.definition import Definition, Step
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.sagemaker.executions.core import planner, state
from pedigree.localaws.services.sagemaker.executions.core.errors import ValueMissingError
from pedigree.localaws.services.sagemaker.executions.core.planner import Action, Graph, StepSchedule
from pedigree.localaws.services.sagemaker.executions.core.step_records import StepRecords
from pedigree.localaws.services.sagemaker.executions.core.values import Resolver

Read: TypeAlias = Callable[[Document, str], bytes]
"""Returns the content of an object, as an execution may read it."""
_DEFAULT_PARALLEL_STEPS = 50


@lru_cache(maxsize=32)
def _parsed(text: str) -> tuple[Definition, Graph]:
    parsed = definition.parse(text)
    return parsed, planner.graph(parsed)


class ActiveExecution:
    """An execution that is not over, with its steps and what follows from them."""

    def __init__(self, world: World, execution_id: str, read: Read) -> None:
        self.id = execution_id
        self._world = world
        self._read = read
        self._revision = -1
        self._copies: dict[str, Step] = {}
        self.document: Document = {}
        self.refresh()
        self.definition, graph = _parsed(self.document["_definition"])
        if "_selected" in self.document:
            graph = graph.only(self.document["_selected"])
        self._schedule = StepSchedule(graph)
        self.records = StepRecords(world, self.document["PipelineExecutionArn"], self._schedule)

    def refresh(self) -> None:
        """Read the document again, if it has changed: a client stops an execution, or gives it another name."""
        revision = self._world.store.revision(state.EXECUTION, self.id)
        if revision != self._revision:
            self._revision, self.document = revision, self._world.store.get(state.EXECUTION, self.id)

    @property
    def is_over(self) -> bool:
        return self.document["PipelineExecutionStatus"] in state.OVER

    @property
    def is_stopping(self) -> bool:
        return bool(self.document["PipelineExecutionStatus"] == "Stopping")

    def next_actions(self) -> list[Action]:
        """The planner's next actions."""
        parallelism = self.document.get("ParallelismConfiguration") or {}
        limit = parallelism.get("MaxParallelExecutionSteps", _DEFAULT_PARALLEL_STEPS)
        return self._schedule.next_actions(limit, is_stopping=self.is_stopping)

    def step(self, name: str) -> Step:
        """A step of the definition, or of an iteration of a ForEach step."""
        defined = self.definition.by_name().get(name) or self._copies.get(name)
        if defined is None:
            record = self.records[name]
            defined = self._copies[name] = definition.read_step(record["_document"], record["_pointer"])
        return defined

    def admit(self, name: str) -> None:
        """Record that a step starts; the executor starts it once that is stored."""
        self._admit(self.definition.by_name()[name], {})

    def admit_copy(self, step: Step, context: Mapping[str, Any]) -> None:
        """Record that a step of an iteration starts."""
        copied = {"_document": step.document, "_pointer": step.pointer, "IterationContext": context}
        self._admit(step, copied)

    def _admit(self, step: Step, more: Mapping[str, Any]) -> None:
        self.records.add(
            {
                **more,
                "StepName": step.name,
                "StepDisplayName": step.document.get("DisplayName"),
                "StepDescription": step.document.get("Description"),
                "StepStatus": "Starting",
                "StartTime": self._world.now(),
                "AttemptCount": 1,
                "_attempt": 0,
                "_type": step.type,
            }
        )

    def resolver(self, step: str) -> Resolver:
        """Resolves a step's expressions from what the execution knows at this moment."""
        arn = self.document["PipelineExecutionArn"]
        return Resolver(
            parameters=self.document["_parameters"],
            execution={
                "PipelineName": self.document["_pipeline"],
                "PipelineArn": self.document["PipelineArn"],
                "PipelineExecutionArn": arn,
                "PipelineExecutionId": self.id,
                "StartDateTime": self.document["CreationTime"],
                "CurrentDateTime": self._world.now(),
                "TrainingJobName": step,
                "ProcessingJobName": step,
            },
            described=self.records.described,
            property_file=self._property_file,
            read_json=partial(self._json_at, self.document),
        )

    def _property_file(self, step: str, name: str) -> str | None:
        """The address of a property file of a step that has succeeded."""
        outputs = self.records.described.get(step, {}).get("ProcessingOutputConfig", {}).get("Outputs", [])
        for file in self.step(step).property_files:
            for output in outputs:
                if file.name == name and file.output == output["OutputName"] and "S3Output" in output:
                    return f"{output['S3Output']['S3Uri'].rstrip('/')}/{file.path}"
        return None

    def _json_at(self, document: Document, address: str) -> Any:
        try:
            return json.loads(self._read(document, address))
        except KeyError:
            raise ValueMissingError(f"{address} is not there, so nothing in it can be read") from None
        except ValueError as error:
            raise ValueMissingError(f"{address} is no JSON: {error}") from None
