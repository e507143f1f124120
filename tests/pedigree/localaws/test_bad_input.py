"""Nonsense is sent to every operation of every service: it is refused in the service's words, and does no harm.

HYPOTHESIS_PROFILE=explore asks more than ten thousand times.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any
from xml.etree import ElementTree as ET

import boto3
import pytest
from botocore.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st

from pedigree.localaws.daemon import LocalAws, Options
from pedigree.localaws.http.protocol.models import model
from pedigree.localaws.kernel.access_key import AccessKey
from tests.support.malformed import request_faults, resources, valid_requests, wire
from tests.support.malformed.resources import EXPENDABLE, PROTECTED

_SERVER_FAULT, _CLIENT_FAULT = 500, 400
# Of each service, and as many without a fault.
_EXAMPLES = 10 if settings().derandomize else 400


class Nonsense:
    """A local AWS, its caller, and its log."""

    def __init__(self, local: LocalAws) -> None:
        self.local = local
        self._session = boto3.session.Session()

    @cache  # noqa: B019  # one for the module
    def client(self, service: str) -> Any:
        """A client of the account's own."""
        return self._session.client(
            service,
            region_name="us-east-1",
            endpoint_url=self.local.url,
            aws_access_key_id=self.local.key.id,
            aws_secret_access_key=self.local.key.secret,
            config=Config(proxies={}, retries={"max_attempts": 1}),
        )

    @cache  # noqa: B019
    def role(self) -> Mapping[str, Any]:
        """Credentials of a role that may do everything."""
        credentials = self.client("sts").assume_role(RoleArn=resources.role(PROTECTED), RoleSessionName="session")[
            "Credentials"
        ]
        key = AccessKey(credentials["AccessKeyId"], credentials["SecretAccessKey"])
        return {"key": key, "token": credentials["SessionToken"]}

    def send(self, service: str, request: wire.HttpRequest, *, as_role: bool = False) -> wire.HttpResponse:
        """The answer to a signed request; never a server's fault, always in the protocol's form."""
        who = self.role() if as_role else {"key": self.local.key}
        answer = wire.send(self.local.port, wire.sign(request, service, self.local.port, **who))
        assert answer.status < _SERVER_FAULT, answer
        if answer.status >= _CLIENT_FAULT and request.method != "HEAD":
            _readable(answer)
            assert answer.code, answer
        return answer


def _readable(answer: wire.HttpResponse) -> None:
    """An error is a document of its protocol."""
    try:
        if "json" in answer.headers["content-type"]:
            json.loads(answer.body)
        else:
            ET.fromstring(answer.body)
    except (ValueError, ET.ParseError):
        raise AssertionError(answer) from None


@pytest.fixture(scope="module")
def nonsense(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nonsense]:
    local = LocalAws(Options(tmp_path_factory.mktemp("local")))
    local.start()
    asking = Nonsense(local)
    for name in (PROTECTED, EXPENDABLE):
        resources.create_resources(asking.client, name)
    yield asking
    local.stop()


@pytest.fixture(autouse=True)
def _unharmed(nonsense: Nonsense, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The stored state is unchanged, the daemon answers, and nothing failed in the background."""
    before = resources.describe_resources(nonsense.client, PROTECTED)
    with caplog.at_level(logging.WARNING):
        yield
    assert resources.describe_resources(nonsense.client, PROTECTED) == before
    assert wire.send(nonsense.local.port, wire.HttpRequest("GET", "/_local/health")).status == 200
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def _supported(nonsense: Nonsense, service: str) -> list[str]:
    operations = sorted(model(service).operation_names)
    services = nonsense.local.services
    supports = (services.get(service) or services[wire.scope(service)]).supports
    return operations if service == "s3" else [operation for operation in operations if supports(operation)]


@pytest.mark.parametrize("service", wire.SERVICES)
@settings(max_examples=_EXAMPLES)
@given(data=st.data())
def test_a_request_with_one_fault_is_refused(nonsense: Nonsense, service: str, data: st.DataObject) -> None:
    described = model(service)
    operation = data.draw(st.sampled_from(_supported(nonsense, service)), "operation")
    shape = described.operation_model(operation).input_shape
    is_text = not described.metadata.get("targetPrefix")
    # In a path or a header one fault may leave a request of something else: it may only name what may go.
    is_sure = not is_text or described.metadata["protocol"] in ("query", "ec2")
    members = valid_requests.request(data.draw, shape, resources.names_by_member(PROTECTED if is_sure else EXPENDABLE))
    wrong = request_faults.with_one_fault(data.draw, shape, members, is_text=is_text) if shape is not None else None
    if wrong is None:
        return
    answer = nonsense.send(service, wire.request(service, operation, wrong), as_role=data.draw(st.booleans()))
    if is_sure:
        assert answer.status >= _CLIENT_FAULT, (operation, wrong, answer)


@pytest.mark.parametrize("service", wire.SERVICES)
@settings(max_examples=_EXAMPLES)
@given(data=st.data())
def test_a_request_that_its_model_allows_is_answered(nonsense: Nonsense, service: str, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(_supported(nonsense, service)), "operation")
    shape = model(service).operation_model(operation).input_shape
    members = valid_requests.request(data.draw, shape, resources.names_by_member(EXPENDABLE))
    nonsense.send(service, wire.request(service, operation, members), as_role=data.draw(st.booleans()))


@pytest.mark.parametrize("service", wire.SERVICES)
def test_what_is_not_supported_is_refused_by_its_name(nonsense: Nonsense, service: str) -> None:
    supported = set(_supported(nonsense, service))
    for operation in model(service).operation_names:
        if operation in supported or service in ("s3", "sagemaker-runtime"):
            continue
        answer = nonsense.send(service, wire.request(service, operation, _labels(service, operation)))
        assert operation in answer.body.decode(), answer


def _labels(service: str, operation: str) -> Mapping[str, str]:
    """What a path cannot be without."""
    shape = model(service).operation_model(operation).input_shape
    members = shape.members.items() if shape is not None else ()
    return {name: "x" for name, member in members if member.serialization.get("location") == "uri"}


_LIST_QUEUES = wire.HttpRequest(headers={"X-Amz-Target": "AmazonSQS.ListQueues"}, body=b"{}")
_URL = f"http://127.0.0.1/{resources.ACCOUNT}/{EXPENDABLE}"


@pytest.mark.parametrize(
    "ambiguous",
    [
        replace(_LIST_QUEUES, headers={**_LIST_QUEUES.headers, "Action": "DeleteQueue", "QueueUrl": _URL}),
        replace(_LIST_QUEUES, target=f"/?Action=DeleteQueue&QueueUrl={_URL}"),
        replace(_LIST_QUEUES, body=json.dumps({"QueueNamePrefix": f"&Action=DeleteQueue&QueueUrl={_URL}&"}).encode()),
        replace(_LIST_QUEUES, headers={**_LIST_QUEUES.headers, "Content-Type": "application/x-www-form-urlencoded"}),
        replace(_LIST_QUEUES, headers={**_LIST_QUEUES.headers, "User-Agent": "x region/eu-west-1"}),
        replace(_LIST_QUEUES, method="GET"),
        wire.HttpRequest("POST", "/moto-api/reset"),
        wire.HttpRequest("GET", "/moto-api/data.json"),
        wire.HttpRequest("GET", "/latest/meta-data/"),
        wire.HttpRequest("OPTIONS"),
    ],
)
def test_a_request_means_one_thing_only(nonsense: Nonsense, ambiguous: wire.HttpRequest) -> None:
    nonsense.send("sqs", ambiguous)
    assert nonsense.client("sqs").get_queue_url(QueueName=EXPENDABLE)["QueueUrl"].endswith(f"/{EXPENDABLE}")


def test_an_operation_is_only_known_by_its_exact_name(nonsense: Nonsense) -> None:
    request = wire.request("events", "putRule", {"Name": EXPENDABLE, "ScheduleExpression": "rate(1 day)"})
    answer = nonsense.send("events", request)
    assert (answer.status, answer.code) == (_CLIENT_FAULT, "UnknownOperationException")


@pytest.mark.parametrize(
    ("service", "operation", "members"),
    [
        ("ec2", "AllocateHosts", {"AvailabilityZone": "us-east-1a", "InstanceType": "m5.large", "Quantity": 2**31 - 1}),
        ("ec2", "RunInstances", {"MinCount": 1, "MaxCount": 2**31 - 1}),
        (
            "sagemaker",
            "UpdateModelPackage",
            {"ModelPackageArn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/a/1"}
            | {"CustomerMetadataProperties": {"a" * 127 + "!": "b"}},
        ),
        (
            "events",
            "CreateConnection",
            {"Name": EXPENDABLE, "AuthorizationType": "API_KEY"}
            | {
                "AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "a" + " " * 510 + "\x00", "ApiKeyValue": "b"}}
            },
        ),
        (
            "sagemaker",
            "CreateTrainingJob",
            {"TrainingJobName": EXPENDABLE, "RoleArn": resources.role(EXPENDABLE)}
            | {"AlgorithmSpecification": {"TrainingInputMode": "File"}}
            | {
                "OutputDataConfig": {"S3OutputPath": "s3://expendable/x"},
                "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            }
            | {"ResourceConfig": {"VolumeSizeInGB": 1, "InstanceCount": 2**31 - 1, "InstanceType": "ml.m5.large"}},
        ),
    ],
)
def test_what_would_take_for_ever_is_refused_at_once(
    nonsense: Nonsense, service: str, operation: str, members: Mapping[str, Any]
) -> None:
    assert nonsense.send(service, wire.request(service, operation, members)).status >= _CLIENT_FAULT
