"""Events as the pipeline sends them: the Arguments of a step, with every expression resolved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from entrypoints import contract
from pedigree.language.definition import read
from tests.support.definitions import define
from tests.support.fakes.account import PACKAGE

EXECUTION = "abc123def456"
QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/dog-breeds-await-endpoint"
SCALER = "sagemaker-dog-breeds-configure-autoscaling:live"
_KNOWN = {
    "Execution.PipelineExecutionId": EXECUTION,
    "Steps.RegisterModel.ModelPackageArn": PACKAGE,
    "Steps.AwaitEndpoint.OutputParameters['outcome']": contract.OUTCOME_IN_SERVICE,
    "Steps.AwaitEndpoint.OutputParameters['endpoint_name']": "dog-breeds",
    "Steps.DeployEndpoint.OutputParameters['outcome']": contract.OUTCOME_DEPLOYING,
    "Steps.DeployEndpoint.OutputParameters['endpoint_name']": "dog-breeds",
    "Steps.DeployEndpoint.OutputParameters['endpoint_config_name']": "dog-breeds-v12-0123456789",
}


def deploy_event(**changes: Any) -> dict[str, Any]:
    """Returns the event of DeployEndpoint."""
    return {**_arguments("DeployEndpoint"), **changes}


def scale_event(**changes: Any) -> dict[str, Any]:
    """Returns the event of ConfigureAutoscaling."""
    return {**_arguments("ConfigureAutoscaling"), **changes}


def approval_event(**changes: Any) -> dict[str, Any]:
    """Returns the event of the approval rule: no step waits, so it names the queue for a message."""
    autoscaling = {name: value for name, value in scale_event().items() if name != contract.OUTCOME}
    return deploy_event(
        **{
            contract.EXECUTION_ID: "approval-17793124-05d4-b198-2fde-7ededc63b103",
            contract.AWAIT_QUEUE_URL: QUEUE,
            contract.AUTOSCALING: json.dumps(autoscaling),
            contract.AUTOSCALING_FUNCTION: SCALER,
            **changes,
        }
    )


def record(
    message: Mapping[str, Any] | str | None = None, sent: float = 0.0, name: str = "message-1", **arguments: Any
) -> dict[str, Any]:
    """Returns a record of the queue in Lambda's format."""
    body = message if message is not None else callback(**arguments)
    text = body if isinstance(body, str) else json.dumps(body)
    return {"messageId": name, "body": text, "attributes": {"SentTimestamp": str(int(sent * 1000))}}


def callback(token: str = "abcdefghij", status: str = "Executing", **arguments: Any) -> dict[str, Any]:
    """Returns the message of AwaitEndpoint."""
    return {
        "token": token,
        "pipelineExecutionArn": "arn:aws:sagemaker:us-east-1:123456789012:pipeline/dog-breeds/execution/abc123def456",
        "arguments": {**_arguments("AwaitEndpoint"), **arguments},
        "status": status,
    }


@cache
def _sent() -> dict[str, Any]:
    document = define()
    values = {
        f"Parameters.{parameter['Name']}": parameter["DefaultValue"] for parameter in document["Parameters"]
    } | _KNOWN
    steps = read(document).by_name()
    names = ("DeployEndpoint", "AwaitEndpoint", "ConfigureAutoscaling")
    return {name: _resolved(dict(steps[name].arguments), values) for name in names}


def _arguments(name: str) -> dict[str, Any]:
    return dict(_sent()[name])


def _resolved(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return (
            values[value["Get"]]
            if "Get" in value
            else {key: _resolved(parameter, values) for key, parameter in value.items()}
        )
    return value
