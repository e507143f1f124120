"""The answers to the calls by which a script would create and start its pipelines, which are kept instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from botocore.awsrequest import AWSResponse

from pedigree.sdk.script_pipeline import ScriptPipeline
from pedigree.sdk.wire_answers import json_answer
from pedigree.sdk.wire_request import WireRequest

ReadObject = Callable[[str, str], bytes]
"""Returns the content of an object by bucket and key."""


class EndOfScriptError(BaseException):
    """A script asks how its execution goes. There is none, so it ends here; it must not be able to catch this."""


class PipelineCalls:
    """Keeps the pipelines that a script creates by SageMaker's API, and creates none."""

    def __init__(self, arn: Callable[[str], str], read_object: ReadObject) -> None:
        self.created: dict[str, ScriptPipeline] = {}
        self.started: dict[str, Mapping[str, str]] = {}
        """The parameters of each pipeline that the script starts, by its name."""
        self._arn = arn
        self._read_object = read_object

    def answer(self, request: WireRequest) -> AWSResponse | None:
        """The answer to a call on pipelines; None for any other call."""
        answers: Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
            "CreatePipeline": self._create,
            "UpdatePipeline": self._create,
            "DescribePipeline": self._describe,
            "StartPipelineExecution": self._start,
            "DescribePipelineExecution": _end,
            "ListPipelineExecutionSteps": _end,
        }
        if request.service != "sagemaker" or request.operation not in answers:
            return None
        try:
            return json_answer(request.sent, answers[request.operation](request.members))
        except LookupError as error:
            absent = {"__type": "ResourceNotFound", "message": f"Pipeline {error.args[0]} does not exist."}
            return json_answer(request.sent, absent, 400)

    def all(self) -> list[ScriptPipeline]:
        """The pipelines, each with the parameters of its start."""
        return [self.with_start(pipeline) for pipeline in self.created.values()]

    def with_start(self, pipeline: ScriptPipeline) -> ScriptPipeline:
        return replace(pipeline, parameters=self.started.get(pipeline.name, {}))

    def start(self, name: str, parameters: Mapping[str, str]) -> None:
        self.started[name] = parameters

    def _create(self, members: Mapping[str, Any]) -> Mapping[str, Any]:
        name, place = members["PipelineName"], members.get("PipelineDefinitionS3Location")
        text = members.get("PipelineDefinition", "")
        if place:
            text = self._read_object(place["Bucket"], place["ObjectKey"]).decode()
        before = self.created.get(name, ScriptPipeline(name, ""))
        self.created[name] = ScriptPipeline(name, text or before.definition, members.get("RoleArn") or before.role)
        return {"PipelineArn": self._arn(f"pipeline/{name}"), "PipelineVersionId": 1}

    def _describe(self, members: Mapping[str, Any]) -> Mapping[str, Any]:
        pipeline = self.created[members["PipelineName"]]
        return {
            "PipelineArn": self._arn(f"pipeline/{pipeline.name}"),
            "PipelineName": pipeline.name,
            "PipelineDefinition": pipeline.definition,
            "RoleArn": pipeline.role,
            "PipelineStatus": "Active",
        }

    def _start(self, members: Mapping[str, Any]) -> Mapping[str, Any]:
        name, given = members["PipelineName"], members.get("PipelineParameters", ())
        self.start(name, {parameter["Name"]: parameter["Value"] for parameter in given})
        return {"PipelineExecutionArn": self._arn(f"pipeline/{name}/execution/offline")}


def _end(_members: Mapping[str, Any]) -> Mapping[str, Any]:
    raise EndOfScriptError
