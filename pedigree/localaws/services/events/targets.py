"""Whom events and schedules are brought to: a function, a queue, a pipeline, a bus, or any operation of the local AWS.

Each is an ordinary call of an ordinary client, in the name of the target's role.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from pedigree.localaws.kernel.clients import Clients, RoleAssumption
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.events.deliveries import (
    DAY,
    MAX_RETRIES,
    DeliveryFailedError,
    RetriesExhausted,
    new_delivery,
)

CHANNEL = "target"
_TRY_AGAIN = (408, 429)
_FIRST_SERVER_FAULT = 500
_LONGEST_WORDS = 1000


def queue_url(clients: Clients, arn: str) -> str:
    """The address of a queue."""
    account, name = arn.split(":")[4:6]
    return f"{clients.url()}/{account}/{name}"


def target_delivery(
    target: Mapping[str, Any], body: str, now: float, by: tuple[str, str], about: Mapping[str, str]
) -> Mapping[str, Any]:
    """A delivery to a target, as rules and schedules describe them; by which service, for which of its resources."""
    retries = target.get("RetryPolicy") or {}
    return new_delivery(
        CHANNEL,
        now,
        most=int(retries.get("MaximumRetryAttempts", MAX_RETRIES)),
        seconds=float(retries.get("MaximumEventAgeInSeconds", DAY)),
        to=target["Arn"],
        body=body,
        role=target.get("RoleArn") or "",
        by=list(by),
        how={key: value for key, value in target.items() if key.endswith("Parameters")},
        dead=(target.get("DeadLetterConfig") or {}).get("Arn") or "",
        about=about,
    )


class TargetChannel:
    """Brings deliveries to their targets; what is given up goes to the dead-letter queue, if there is one."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def bring(self, name: str, delivery: Document) -> None:
        """Call the target."""
        arn = delivery["to"]
        bring = _SERVICES.get(arn.split(":")[2])
        if bring is None:
            raise DeliveryFailedError("UnsupportedTarget", f"The local AWS brings nothing to {arn}", is_final=True)
        try:
            bring(self._clients, name, delivery)
        except ClientError as error:
            told, status = error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
            is_final = status < _FIRST_SERVER_FAULT and status not in _TRY_AGAIN and "Throttl" not in told["Code"]
            raise DeliveryFailedError(told["Code"], told.get("Message", ""), is_final=is_final) from error
        except (BotoCoreError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise DeliveryFailedError(type(error).__name__, str(error), is_final=not _is_passing(error)) from error

    def give_up(self, _name: str, delivery: Document, refusal: RetriesExhausted) -> None:
        """Leave it in the dead-letter queue, with the reason."""
        if not delivery.get("dead"):
            return
        told = {
            **delivery["about"],
            "ERROR_CODE": refusal.code,
            "ERROR_MESSAGE": refusal.message[:_LONGEST_WORDS] or refusal.code,
            "RETRY_ATTEMPTS": str(refusal.tries),
            "EXHAUSTED_RETRY_CONDITION": refusal.condition,
            "TARGET_ARN": delivery["to"],
        }
        attributes, dead = _attributes(told), delivery["dead"]
        self._clients("sqs", _taking(delivery)).send_message(
            QueueUrl=queue_url(self._clients, dead), MessageBody=delivery["body"], MessageAttributes=attributes
        )


def _attributes(told: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
    """What is told beside a message, which cannot be nothing."""
    return {key: {"DataType": "String", "StringValue": value or "-"} for key, value in told.items()}


def _is_passing(error: Exception) -> bool:
    """Whether it may work the next time: the daemon may not have been there yet."""
    return isinstance(error, BotoCoreError) and not type(error).__name__.startswith("Param")


def _taking(delivery: Mapping[str, Any]) -> RoleAssumption | None:
    """In whose name a delivery is made; nobody's role: the account's own."""
    return RoleAssumption(delivery["role"], *delivery["by"]) if delivery["role"] else None


def _to_function(clients: Clients, _name: str, delivery: Document) -> None:
    client = clients("lambda", _taking(delivery))
    client.invoke(FunctionName=delivery["to"], InvocationType="Event", Payload=delivery["body"].encode())


def _to_queue(clients: Clients, name: str, delivery: Document) -> None:
    group = (delivery["how"].get("SqsParameters") or {}).get("MessageGroupId")
    more = {"MessageGroupId": group, "MessageDeduplicationId": name} if group else {}
    about = delivery["how"].get("MessageAttributeParameters")
    attributes = {"MessageAttributes": _attributes(about)} if about else {}
    client, queue = clients("sqs", _taking(delivery)), queue_url(clients, delivery["to"])
    client.send_message(QueueUrl=queue, MessageBody=delivery["body"], **more, **attributes)


def _to_pipeline(clients: Clients, name: str, delivery: Document) -> None:
    told = (delivery["how"].get("SageMakerPipelineParameters") or {}).get("PipelineParameterList") or []
    clients("sagemaker", _taking(delivery)).start_pipeline_execution(
        PipelineName=delivery["to"].rpartition("/")[2], PipelineParameters=told, ClientRequestToken=name
    )


def _to_bus(clients: Clients, _name: str, delivery: Document) -> None:
    how = delivery["how"].get("EventBridgeParameters") or {}
    body = json.loads(delivery["body"])
    entry = {
        "EventBusName": delivery["to"],
        "Source": how.get("Source") or body["source"],
        "DetailType": how.get("DetailType") or body["detail-type"],
        "Detail": delivery["body"] if how else json.dumps(body["detail"]),
        "Resources": [] if how else body.get("resources", []),
    }
    clients("events", _taking(delivery)).put_events(Entries=[entry])


def _to_operation(clients: Clients, _name: str, delivery: Document) -> None:
    """Any operation: arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution."""
    _, service, operation = delivery["to"].rsplit(":", 2)
    call = getattr(clients(service, _taking(delivery)), xform_name(operation))
    call(**json.loads(delivery["body"]))


SendToTarget: TypeAlias = Callable[[Clients, str, Mapping[str, Any]], None]
_SERVICES: Mapping[str, SendToTarget] = {
    "lambda": _to_function,
    "sqs": _to_queue,
    "sagemaker": _to_pipeline,
    "events": _to_bus,
    "scheduler": _to_operation,
}
