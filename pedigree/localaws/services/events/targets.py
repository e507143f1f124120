"""Delivers events and schedules to their targets: functions, queues, pipelines, event buses or any API operation.

Each delivery is an ordinary call of a boto3 client with the credentials of the target's role.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from pedigree.iam import Request
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.iam.authorizer import Authorizer
from pedigree.localaws.kernel.clients import Clients, ServiceRole, queue_url
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.events.deliveries import (
    DAY,
    MAX_RETRIES,
    DeliveryFailedError,
    RetriesExhausted,
    new_delivery,
)

CHANNEL = "target"
_RETRYABLE_STATUSES = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
_MAX_MESSAGE_CHARACTERS = 1000
# What services need on targets that they call without a role.
_ACTIONS: Mapping[str, str] = {"lambda": "lambda:InvokeFunction", "sqs": "sqs:SendMessage"}


def target_delivery(
    target: Mapping[str, Any], body: str, now: float, source: tuple[str, str], about: Mapping[str, str]
) -> Mapping[str, Any]:
    """Return a delivery to a target of a rule or schedule.

    source is the service and its resource that assume the target's role; about goes to the dead-letter queue.
    """
    retry_policy = target.get("RetryPolicy") or {}
    return new_delivery(
        CHANNEL,
        now,
        max_retries=int(retry_policy.get("MaximumRetryAttempts", MAX_RETRIES)),
        max_age=float(retry_policy.get("MaximumEventAgeInSeconds", DAY)),
        to=target["Arn"],
        body=body,
        role=target.get("RoleArn") or "",
        by=list(source),
        how={key: value for key, value in target.items() if key.endswith("Parameters")},
        dead=(target.get("DeadLetterConfig") or {}).get("Arn") or "",
        about=about,
    )


class TargetChannel:
    """Calls targets, and sends to the dead-letter queue what cannot be delivered."""

    def __init__(self, clients: Clients, authorizer: Authorizer) -> None:
        self._clients = clients
        self._authorizer = authorizer

    def deliver(self, delivery_id: str, delivery: Document) -> None:
        """Call the target once."""
        arn = delivery["to"]
        send = _SERVICES.get(arn.split(":")[2])
        if send is None:
            message = f"The local AWS cannot deliver to {arn}"
            raise DeliveryFailedError("UnsupportedTarget", message, is_final=True)
        try:
            self._check_permission(delivery)
            send(self._clients, delivery_id, delivery)
        except ServiceError as error:
            raise DeliveryFailedError(error.code, error.message, is_final=True) from error
        except ClientError as error:
            raise _failure(error) from error
        except (BotoCoreError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise DeliveryFailedError(type(error).__name__, str(error), is_final=not _is_transient(error)) from error

    def _check_permission(self, delivery: Document) -> None:
        """Without a role, the policy of the target decides whether the service may call it."""
        action = _ACTIONS.get(delivery["to"].split(":")[2])
        if delivery["role"] or action is None:
            return
        principal, source = delivery["by"]
        # The ARN of a bucket names no account: all buckets are this account's, as all targets are.
        account = source.split(":")[4] or delivery["to"].split(":")[4]
        context = {"aws:SourceArn": source, "aws:SourceAccount": account, "aws:SecureTransport": True}
        self._authorizer.check_service(principal, Request(action, delivery["to"], context))

    def give_up(self, _delivery_id: str, delivery: Document, reason: RetriesExhausted) -> None:
        """Send the delivery to the dead-letter queue with the reason."""
        if not delivery.get("dead"):
            return
        attributes = {
            **delivery["about"],
            "ERROR_CODE": reason.code,
            "ERROR_MESSAGE": reason.message[:_MAX_MESSAGE_CHARACTERS] or reason.code,
            "RETRY_ATTEMPTS": str(reason.retries),
            "EXHAUSTED_RETRY_CONDITION": reason.condition,
            "TARGET_ARN": delivery["to"],
        }
        self._clients("sqs", _role(delivery)).send_message(
            QueueUrl=queue_url(self._clients, delivery["dead"]),
            MessageBody=delivery["body"],
            MessageAttributes=_message_attributes(attributes),
        )


def _failure(error: ClientError) -> DeliveryFailedError:
    details, status = error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    is_refusal = status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _RETRYABLE_STATUSES
    is_final = is_refusal and "Throttl" not in details["Code"]
    return DeliveryFailedError(details["Code"], details.get("Message", ""), is_final=is_final)


def _message_attributes(attributes: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
    """Return attributes as SQS takes them, which refuses empty values."""
    return {key: {"DataType": "String", "StringValue": value or "-"} for key, value in attributes.items()}


def _is_transient(error: Exception) -> bool:
    """Return whether another attempt may succeed: the daemon may not have been listening yet."""
    return isinstance(error, BotoCoreError) and not type(error).__name__.startswith("Param")


def _role(delivery: Mapping[str, Any]) -> ServiceRole | None:
    """Return the role to act as; None stands for the account's own credentials."""
    return ServiceRole(delivery["role"], *delivery["by"]) if delivery["role"] else None


def _invoke_function(clients: Clients, _delivery_id: str, delivery: Document) -> None:
    client = clients("lambda", _role(delivery))
    client.invoke(FunctionName=delivery["to"], InvocationType="Event", Payload=delivery["body"].encode())


def _send_to_queue(clients: Clients, delivery_id: str, delivery: Document) -> None:
    group = (delivery["how"].get("SqsParameters") or {}).get("MessageGroupId")
    fifo = {"MessageGroupId": group, "MessageDeduplicationId": delivery_id} if group else {}
    about = delivery["how"].get("MessageAttributeParameters")
    attributes = {"MessageAttributes": _message_attributes(about)} if about else {}
    client, queue = clients("sqs", _role(delivery)), queue_url(clients, delivery["to"])
    client.send_message(QueueUrl=queue, MessageBody=delivery["body"], **fifo, **attributes)


def _start_pipeline(clients: Clients, delivery_id: str, delivery: Document) -> None:
    parameters = (delivery["how"].get("SageMakerPipelineParameters") or {}).get("PipelineParameterList") or []
    clients("sagemaker", _role(delivery)).start_pipeline_execution(
        PipelineName=delivery["to"].rpartition("/")[2], PipelineParameters=parameters, ClientRequestToken=delivery_id
    )


def _put_event(clients: Clients, _delivery_id: str, delivery: Document) -> None:
    parameters = delivery["how"].get("EventBridgeParameters") or {}
    body = json.loads(delivery["body"])
    entry = {
        "EventBusName": delivery["to"],
        "Source": parameters.get("Source") or body["source"],
        "DetailType": parameters.get("DetailType") or body["detail-type"],
        "Detail": delivery["body"] if parameters else json.dumps(body["detail"]),
        "Resources": [] if parameters else body.get("resources", []),
    }
    clients("events", _role(delivery)).put_events(Entries=[entry])


def _call_operation(clients: Clients, _delivery_id: str, delivery: Document) -> None:
    """Call the operation in an ARN such as arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution."""
    _, service, operation = delivery["to"].rsplit(":", 2)
    call = getattr(clients(service, _role(delivery)), xform_name(operation))
    call(**json.loads(delivery["body"]))


SendToTarget: TypeAlias = Callable[[Clients, str, Mapping[str, Any]], None]
_SERVICES: Mapping[str, SendToTarget] = {
    "lambda": _invoke_function,
    "sqs": _send_to_queue,
    "sagemaker": _start_pipeline,
    "events": _put_event,
    "scheduler": _call_operation,
}
