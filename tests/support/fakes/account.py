"""The account: its services behind one call log, its resources, and one registered version to begin with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.support.fakes.clients import CallLog, FakeClient, FakeService
from tests.support.fakes.clock import SimulatedClock
from tests.support.fakes.hosting import IN_TRANSITION, Hosting
from tests.support.fakes.scaling import Scaling

PACKAGE = "arn:aws:sagemaker:us-east-1:123456789012:model-package/dog-breeds/12"


@dataclass
class SageMaker(Hosting):
    """Hosting, and the operations of the registry and of pipelines that the functions use."""

    packages: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)  # what each waiting step was answered
    answers: dict[str, Any] = field(default_factory=dict)

    def describe_model_package(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["ModelPackageName"]
        if name not in self.packages:
            self.refuse("ValidationException", f"ModelPackage {name} does not exist.")
        return self.packages[name]

    def send_pipeline_execution_step_success(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._answer(
            request, {parameter["Name"]: parameter["Value"] for parameter in request["OutputParameters"]}
        )

    def send_pipeline_execution_step_failure(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._answer(request, request["FailureReason"])

    def _answer(self, request: dict[str, Any], answer: Any) -> dict[str, Any]:
        token = request["CallbackToken"]
        if token in self.answers and self.tokens[token] == request["ClientRequestToken"]:
            return {}
        if token not in self.tokens or token in self.answers:
            self.refuse("ValidationException", f"Callback token {token} is not valid.")
        self.tokens[token], self.answers[token] = request["ClientRequestToken"], answer
        return {}


@dataclass
class Alarms(FakeService):
    """CloudWatch's alarms by name."""

    by_name: dict[str, dict[str, Any]] = field(default_factory=dict)

    def put_metric_alarm(self, request: dict[str, Any]) -> None:
        self.by_name[request["AlarmName"]] = {**request, "StateValue": "OK"}

    def describe_alarms(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"MetricAlarms": [alarm for name, alarm in self.by_name.items() if name in request["AlarmNames"]]}

    def delete_alarms(self, request: dict[str, Any]) -> None:
        missing = [name for name in request["AlarmNames"] if name not in self.by_name]
        if missing:
            self.refuse("ResourceNotFound", f"Alarm(s) not found: {missing}")
        for name in request["AlarmNames"]:
            del self.by_name[name]


@dataclass
class Queue(FakeService):
    """Messages that were sent."""

    messages: list[dict[str, Any]] = field(default_factory=list)

    def send_message(self, request: dict[str, Any]) -> dict[str, Any]:
        self.messages.append(request)
        return {"MessageId": str(len(self.messages))}


@dataclass
class Functions(FakeService):
    """Invocations of functions."""

    invocations: list[dict[str, Any]] = field(default_factory=list)

    def invoke(self, request: dict[str, Any]) -> dict[str, Any]:
        self.invocations.append(request)
        return {"StatusCode": 202}


class FakeAccount:
    """All services, with clients for the functions; while nothing is in transition, it can be copied."""

    def __init__(self) -> None:
        self.clock, self.wire = SimulatedClock(), CallLog()
        self.alarms, self.queue, self.functions = Alarms(), Queue(), Functions()
        self.sagemaker = SageMaker(self.clock, self._is_scaled, self._is_alarm)
        self.scaling = Scaling(self.sagemaker)
        self.services: Mapping[str, FakeService] = {
            "sagemaker": self.sagemaker,
            "application-autoscaling": self.scaling,
            "cloudwatch": self.alarms,
            "sqs": self.queue,
            "lambda": self.functions,
        }
        self.register(PACKAGE)

    def client(self, service: str) -> FakeClient:
        return FakeClient(service, self.services[service], self.wire)

    def _is_scaled(self, resource: str) -> bool:
        return resource in self.scaling.targets

    def _is_alarm(self, name: str) -> bool:
        return name in self.alarms.by_name

    def register(self, package: str, approval: str = "Approved", *, later: bool = False) -> None:
        """Register a version; later: it was approved or rejected after its creation."""
        made = self.clock.moment()
        changed = {"LastModifiedTime": made + timedelta(hours=1)} if later else {}
        self.sagemaker.packages[package] = {"ModelApprovalStatus": approval, "CreationTime": made, **changed}

    def settle(self) -> None:
        """Let time pass until no endpoint is in transition."""
        while any(endpoint.status in IN_TRANSITION for endpoint in self.sagemaker.endpoints.values()):
            self.clock.sleep(60)
            for name in list(self.sagemaker.endpoints):
                self.sagemaker.at_present(name)

    def state(self) -> dict[str, Any]:
        """All resources, without times."""
        self.settle()
        hosting = self.sagemaker
        arns = {model["ModelArn"] for model in hosting.models.values()}
        arns |= {configuration["EndpointConfigArn"] for configuration in hosting.configurations.values()}
        return {
            "models": {name: _timeless(model) for name, model in hosting.models.items()},
            "configurations": {
                name: _timeless(configuration) for name, configuration in hosting.configurations.items()
            },
            "tags": {arn: tags for arn, tags in hosting.tags.items() if arn in arns},
            "endpoints": {
                name: (endpoint.configuration, endpoint.status, endpoint.counts, endpoint.tags, endpoint.deployments)
                for name, endpoint in hosting.endpoints.items()
            },
            "targets": self.scaling.targets,
            "policies": self.scaling.policies,
            "alarms": self.alarms.by_name,
            "messages": {(message["QueueUrl"], message["MessageBody"]) for message in self.queue.messages},
        }


def _timeless(resource: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in resource.items() if key != "CreationTime"}
