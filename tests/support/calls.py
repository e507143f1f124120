"""Calls as boto3 really sends them, and resources as the gate would look them up."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from tests.policies.places import ACCOUNT, REGION, arn, role, sagemaker

EXECUTION = sagemaker("pipeline/p/execution/abcdefghijkl")
TOKEN = "token-10ch"
UUID, FUNCTION = "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f", arn("lambda", "function:f")
SCOPES = {"cloudwatch": "monitoring", "resourcegroupstaggingapi": "tagging", "sagemaker-runtime": "sagemaker"}


@dataclass(frozen=True)
class KnownResources:
    """A few resources, with tags by ARN."""

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


def sent(service: str, operation: str, **arguments: Any) -> dict[str, Any]:
    """A call as a WSGI server hands it on."""
    try:
        getattr(client(service), operation)(**arguments)
    except SentError as sent_one:
        request = sent_one.request
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    body = body if isinstance(body, bytes) else body.read()
    return environ(SCOPES.get(service, service), request.method, request.url, dict(request.headers), body)


def environ(service: str, method: str, url: str, headers: Mapping[str, Any], body: bytes = b"") -> dict[str, Any]:
    parts = urlsplit(url)
    told = {key: value.decode() if isinstance(value, bytes) else str(value) for key, value in headers.items()}
    return {
        "localaws.service": service,
        "localaws.region": REGION,
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote(parts.path),
        "QUERY_STRING": parts.query,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        **{f"HTTP_{key.upper().replace('-', '_')}": value for key, value in told.items()},
    }
