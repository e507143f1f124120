"""Creates SQS queues in a local AWS and reads their messages."""

from __future__ import annotations

import json
from typing import Any

from tests.support.local_aws import client


def create_queue(url: str, name: str, **attributes: str) -> str:
    return str(client(url, "sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])


class QueueReader:
    """Collects all messages that are ever received from a queue."""

    def __init__(self, url: str, queue_url: str) -> None:
        self._sqs, self._queue_url = client(url, "sqs"), queue_url
        self.messages: list[dict[str, Any]] = []

    def count(self) -> int:
        """Receive what has arrived; how many messages that makes in all."""
        answer = self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=600
        )
        self.messages += answer.get("Messages", [])
        return len(self.messages)

    def bodies(self) -> list[Any]:
        return [json.loads(message["Body"]) for message in self.messages]
