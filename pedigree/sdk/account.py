"""Answers a script in place of an account: identity, roles, buckets and functions are there, all else is absent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.loaders import Loader

from pedigree.sdk.memory_s3 import MemoryS3
from pedigree.sdk.wire_answers import answer, json_answer, query_answer, xml_answer
from pedigree.sdk.wire_request import WireRequest

ACCOUNT = "123456789012"
EXECUTION_ROLE = "AmazonSageMaker-ExecutionRole"
"""The role that the SDK's get_execution_role() finds."""
_SERVICE_ROLES = "service-role/"


def role_arn(name: str) -> str:
    """The ARN of any role by its name."""
    path = _SERVICE_ROLES if name.startswith(EXECUTION_ROLE) else ""
    return f"arn:aws:iam::{ACCOUNT}:role/{path}{name}"


def identity_answer(request: WireRequest) -> AWSResponse | None:
    """The answer to who the caller is, and what a role's ARN is; None for any other call.

    The SDK takes the caller for its execution role. Roles of any name exist: whether they do, no script can change.
    """
    if (request.service, request.operation) == ("sts", "GetCallerIdentity"):
        arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{EXECUTION_ROLE}/SageMaker"
        identity = f"<Arn>{arn}</Arn><UserId>AROA:SageMaker</UserId><Account>{ACCOUNT}</Account>"
        return query_answer(request.sent, request.operation, identity)
    if (request.service, request.operation) == ("iam", "GetRole"):
        name = request.form.get("RoleName", "")
        role = (
            f"<Role><Path>/</Path><RoleName>{name}</RoleName><RoleId>AROA</RoleId><Arn>{role_arn(name)}</Arn>"
            "<CreateDate>2020-01-01T00:00:00Z</CreateDate></Role>"
        )
        return query_answer(request.sent, request.operation, role)
    return None


class OfflineAccount:
    """Answers everything that is asked of AWS, from memory."""

    def __init__(self, region: str) -> None:
        self.s3 = MemoryS3()
        self._region = region
        self._answers: Mapping[str, Callable[[WireRequest], AWSResponse]] = {
            "s3": self.s3.answer,
            "lambda": self._function,
        }

    def answer(self, request: WireRequest) -> AWSResponse:
        return self._answers.get(request.service, _otherwise)(request)

    def read_object(self, bucket: str, key: str) -> bytes:
        return self.s3.objects[f"{bucket}/{key}"]

    def _function(self, request: WireRequest) -> AWSResponse:
        """A function by the name in its request or its path, as if it had just been created."""
        parts = request.path.strip("/").split("/")
        name = parts[2] if len(parts) > 2 else json.loads(request.body or b"{}").get("FunctionName", "function")
        arn = f"arn:aws:lambda:{self._region}:{ACCOUNT}:function:{name}"
        return json_answer(request.sent, {"FunctionName": name, "FunctionArn": arn, "State": "Active"})


def _otherwise(request: WireRequest) -> AWSResponse:
    """What can be listed is empty, what can be described is absent, and what is changed is changed."""
    operation = request.operation
    if request.form:  # IAM's, whose answers the SDK does without where it is denied them
        denied = (
            "<Error><Code>AccessDenied</Code><Message>pedigree runs the script without an account</Message></Error>"
        )
        return xml_answer(request.sent, f"<ErrorResponse>{denied}</ErrorResponse>", 403)
    if operation.startswith(("Describe", "Get")):
        cause = f"pedigree runs the script without an account, where {operation} finds nothing"
        return json_answer(request.sent, {"__type": "ResourceNotFoundException", "message": cause}, 400)
    if operation.startswith(("List", "Search")):
        return json_answer(request.sent, _empty(request.service, operation))
    return json_answer(request.sent, {}) if operation else answer(request.sent, b"{}")


@cache
def _model(service: str) -> Mapping[str, Any]:
    loader = Loader()
    is_known = service in loader.list_available_services("service-2")
    return dict(loader.load_service_model(service, "service-2")) if is_known else {}


def _empty(service: str, operation: str) -> dict[str, Any]:
    """The answer of a listing in which nothing is, with the lists that the service always has in it."""
    model = _model(service)
    output = model.get("operations", {}).get(operation, {}).get("output", {}).get("shape")
    members = model["shapes"][output].get("members", {}) if output else {}
    return {name: [] for name, member in members.items() if model["shapes"][member["shape"]]["type"] == "list"}
