"""Creates Lambda functions in a local AWS, invokes them, and reads what they log."""

from __future__ import annotations

import contextlib
import io
import json
import textwrap
import zipfile
from typing import Any

from botocore.exceptions import ClientError

from pedigree.localaws.daemon import ACCOUNT
from tests.support.local_aws import client

ROLE = f"arn:aws:iam::{ACCOUNT}:role/function"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def zip_modules(**modules: str) -> bytes:
    """A zip archive of Python modules by name; a double underscore in a name stands for a folder."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in modules.items():
            archive.writestr(name.replace("__", "/") + ".py", textwrap.dedent(text))
    return content.getvalue()


def zip_module(code: str) -> bytes:
    """A zip archive with the code as module.py."""
    return zip_modules(module=code)


def create_function(url: str, name: str, code: str, **settings: Any) -> str:
    """Create a function, and its role unless that exists; return the function's ARN."""
    with contextlib.suppress(ClientError):  # the role may exist already
        client(url, "iam").create_role(RoleName="function", AssumeRolePolicyDocument=TRUST)
    request = {"Runtime": "python3.13", "Handler": "module.handler", "Timeout": 20, "MemorySize": 256, **settings}
    made = client(url, "lambda").create_function(
        FunctionName=name, Role=ROLE, Code={"ZipFile": zip_module(code)}, **request
    )
    return str(made["FunctionArn"])


def invoke(url: str, name: str, event: Any = None, **more: Any) -> dict[str, Any]:
    """Lambda's answer, with the payload parsed as "body"."""
    answer = client(url, "lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}), **more)
    payload = answer["Payload"].read()
    return {**answer, "body": json.loads(payload) if payload else None}


def log_lines(url: str, function: str) -> list[str]:
    with contextlib.suppress(ClientError):
        found = client(url, "logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")
        return [event["message"] for event in found["events"]]
    return []


def logged_after(url: str, function: str, word: str) -> list[str]:
    """The rest of each log line that begins with a word."""
    return [line.removeprefix(f"{word} ") for line in log_lines(url, function) if line.startswith(word)]


def logged_events(url: str, function: str) -> list[Any]:
    """The events that a function has logged, each in a line that begins with "got"."""
    return [json.loads(line) for line in logged_after(url, function, "got")]
