"""Calls as boto3 really sends them, and resources as authorization would look them up."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from pedigree.localaws.http.exchange import Exchange, Scope
from pedigree.localaws.http.parser import read_call
from tests.policies.arns import ACCOUNT, REGION, arn, role, sagemaker

EXECUTION = sagemaker("pipeline/p/execution/abcdefghijkl")
TOKEN = "token-10ch"
UUID, FUNCTION = "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f", arn("lambda", "function:f")
SCOPES = {"cloudwatch": "monitoring", "resourcegroupstaggingapi": "tagging", "sagemaker-runtime": "sagemaker"}


@dataclass(frozen=True)
class KnownResources:
    """A few resources, with their tags by ARN."""

    account: str = ACCOUNT
    of: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def tags(self, arn: str) -> Mapping[str, str]:
        return self.of.get(arn, {})

    def policy(self, resource: str) -> str:
        return ""

    def execution_of(self, token: str) -> str:
        return EXECUTION if token == TOKEN else ""

    def function_of(self, mapping: str, region: str) -> str:
        return FUNCTION if (mapping, region) == (UUID, REGION) else ""

    def role_named(self, name: str) -> str:
        return role(name)

    def role_in(self, profile: str) -> str:
        return role("ec2") if profile == "i" else ""


class SentError(Exception):
    """What boto3 would have sent."""

    def __init__(self, request: AWSPreparedRequest) -> None:
        super().__init__(request.url)
        self.request = request


@cache
def client(service: str) -> Any:
    made = boto3.client(
        service,
        region_name=REGION,
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id="somebody",
        aws_secret_access_key="somebody",
    )

    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        raise SentError(request)

    made.meta.events.register("before-send", send)
    return made


def sent(service: str, operation: str, **arguments: Any) -> Exchange:
    """A call as the local AWS reads it."""
    try:
        getattr(client(service), operation)(**arguments)
    except SentError as sent_one:
        request = sent_one.request
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    body = body if isinstance(body, bytes) else body.read()
    received = exchange(service, request.method, request.url, dict(request.headers), body)
    read_call(received)
    return received


def exchange(service: str, method: str, url: str, headers: Mapping[str, Any], body: bytes = b"") -> Exchange:
    """A request whose body has been read."""
    parts = urlsplit(url)
    texts = {key: value.decode() if isinstance(value, bytes) else str(value) for key, value in headers.items()}
    received = Exchange.of(
        {
            "REQUEST_METHOD": method,
            "REQUEST_URI": f"{parts.path}?{parts.query}" if parts.query else parts.path,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            **{f"HTTP_{key.upper().replace('-', '_')}": value for key, value in texts.items()},
            "CONTENT_TYPE": texts.get("Content-Type", ""),
        }
    )
    received.scope = Scope("somebody", REGION, SCOPES.get(service, service))
    received.service = service if service == "sagemaker-runtime" else received.scope.service
    received.body = body
    return received
