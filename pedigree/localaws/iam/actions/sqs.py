"""SQS: a queue is named by its URL, whose last part is its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.localaws.http.protocol.call import Call
from pedigree.localaws.http.protocol.models import input_shape, model
from pedigree.localaws.iam.actions.needs import ActionTable, Need
from pedigree.localaws.iam.actions.resources import Resources

_QUEUE = (Need("{QueueName}"),)
_BATCHES: Mapping[str, str] = {
    "SendMessageBatch": "SendMessage",
    "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
}


def _usual() -> Iterator[tuple[str, tuple[Need, ...]]]:
    for operation in model("sqs").operation_names:
        shape = input_shape("sqs", operation)
        if shape is not None and {"QueueUrl", "QueueName"} & set(shape.members):
            yield operation, _QUEUE


def _derive(call: Call, _resources: Resources) -> Mapping[str, Any]:
    address = str(call.members.get("QueueUrl", ""))
    return {"QueueName": address.rstrip("/").rpartition("/")[2]} if address else {}


TABLE = ActionTable(
    "sqs",
    "sqs",
    {
        **dict(_usual()),
        **{batch: (Need("{QueueName}", action=f"sqs:{single}"),) for batch, single in _BATCHES.items()},
        "StartMessageMoveTask": (Need("{SourceArn}"),),
        "ListMessageMoveTasks": (Need("{SourceArn}"),),
    },
    tagging="TagQueue",
    derive=_derive,
)
