"""What tests of a local AWS do to it from outside: clients, functions, and patience."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import textwrap
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from pedigree.localaws.daemon import ACCOUNT

PATIENCE_SECONDS = 60.0
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/function"


def client(url: str, service: str) -> Any:
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="local",
        aws_secret_access_key="local",  # nobody's
        config=Config(retries={"total_max_attempts": 1}),
    )


def until(look: Callable[[], Any], wanted: Any) -> None:
    """Wait until something is as it should be."""
    deadline, found = time.monotonic() + PATIENCE_SECONDS, look()
    while found != wanted and time.monotonic() < deadline:
        time.sleep(0.02)
        found = look()
    assert found == wanted


def zipped(code: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("module.py", textwrap.dedent(code))
    return content.getvalue()


def make(url: str, name: str, code: str, **settings: Any) -> str:
    """A function, and the role that it acts as; its ARN."""
    with contextlib.suppress(ClientError):  # it may be there already
        client(url, "iam").create_role(RoleName="function", AssumeRolePolicyDocument=TRUST)
    asked = {"Runtime": "python3.13", "Handler": "module.handler", "Timeout": 20, "MemorySize": 256, **settings}
    made = client(url, "lambda").create_function(FunctionName=name, Role=ROLE, Code={"ZipFile": zipped(code)}, **asked)
    return str(made["FunctionArn"])


def invoked(url: str, name: str, event: Any = None, **more: Any) -> dict[str, Any]:
    answer = client(url, "lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}), **more)
    payload = answer["Payload"].read()
    return {**answer, "body": json.loads(payload) if payload else None}


def lines(url: str, function: str) -> list[str]:
    """What clients of CloudWatch Logs read of a function."""
    with contextlib.suppress(ClientError):
        found = client(url, "logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")
        return [event["message"] for event in found["events"]]
    return []


DAEMON = """
import sys, time
from pathlib import Path
from pedigree.localaws.daemon import LocalAws, Options
local = LocalAws(Options(Path(sys.argv[1]), enforces_iam=False))
local.start()
print(local.url, flush=True)
sys.stdin.read()
local.stop()
"""


@contextlib.contextmanager
def daemon(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A daemon in a process of its own."""
    command = [sys.executable, "-c", DAEMON, str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()  # type: ignore[union-attr]


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:us-east-1:{ACCOUNT}:{resource}"


def queue(url: str, name: str, **attributes: str) -> str:
    return str(client(url, "sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])


def said(url: str, function: str, word: str) -> list[str]:
    return [line.removeprefix(f"{word} ") for line in lines(url, function) if line.startswith(word)]


def got(url: str, function: str) -> list[Any]:
    return [json.loads(line) for line in said(url, function, "got")]


class Received:
    """All that is ever received from a queue."""

    def __init__(self, url: str, address: str) -> None:
        self._sqs, self._address = client(url, "sqs"), address
        self.messages: list[dict[str, Any]] = []

    def count(self) -> int:
        answer = self._sqs.receive_message(
            QueueUrl=self._address, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=600
        )
        self.messages += answer.get("Messages", [])
        return len(self.messages)

    def bodies(self) -> list[Any]:
        return [json.loads(message["Body"]) for message in self.messages]
