"""InvokeEndpoint without botocore's client: requests and errors are the same as the client's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.message import Message
from email.parser import Parser
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError

from entrypoints import contract
from predicting.runtime import Runtime
from tests.support.loopback import http, serving

ENVIRONMENT = {
    "AWS_REGION": "eu-west-3",
    "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
}
PICTURE = b"\xff\xd8\xff a picture"
ERRORS = [
    http(b'{"message": "no"}', "x-amzn-ErrorType: ValidationError", status="400 Bad Request"),
    http(b'{"Message": "no"}', "x-amzn-errortype: ThrottlingException:http://x/#y", status="429 Slow"),
    http(b'{"__type": "com.amazon#AccessDeniedException", "Message": "no"}', status="403 Forbidden"),
    http(b'{"code": "ServiceUnavailable", "message": "no"}', status="503 Busy"),
    http(
        b'{"Message": "no", "OriginalStatusCode": 400, "OriginalMessage": "m", "LogStreamArn": "a"}',
        "x-amzn-ErrorType: ModelError",
        status="424 Model",
    ),
    http(b"<html>", status="502 Bad Gateway"),
    http(b"", status="500 Oh"),
]


@pytest.fixture(scope="module")
def session() -> Any:
    """A session with explicit configuration, so that it looks nothing up."""
    made = botocore.session.Session()
    made.set_credentials(
        ENVIRONMENT["AWS_ACCESS_KEY_ID"], ENVIRONMENT["AWS_SECRET_ACCESS_KEY"], ENVIRONMENT["AWS_SESSION_TOKEN"]
    )
    return made


def client(session: Any, region: str, url: str | None = None) -> Any:
    once = Config(retries={"total_max_attempts": 1})
    return session.create_client("sagemaker-runtime", region_name=region, endpoint_url=url, config=once)


def runtime(url: str, **environment: str) -> Runtime:
    return Runtime({**ENVIRONMENT, "AWS_ENDPOINT_URL": url, **environment})


def headers(request: str) -> Message:
    return Parser().parsestr(request.partition("\r\n")[2])


def signed(request: Message) -> Mapping[str, str]:
    """Returns the parts of the signature: credentials and service."""
    found = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=(\w+)/\d{8}/([\w/-]+), SignedHeaders=([\w;-]+), Signature=[0-9a-f]{64}",
        request["Authorization"],
    )
    assert found
    return {"key": found[1], "scope": found[2], "headers": found[3]}


def test_the_request_is_the_same_as_the_clients(session: Any) -> None:
    with serving(lambda _: [http(b"{}")]) as server:
        assert runtime(server.url).invoke("dogs", PICTURE, "image/jpeg") == b"{}"
        client(session, ENVIRONMENT["AWS_REGION"], server.url).invoke_endpoint(
            EndpointName="dogs", Body=PICTURE, ContentType="image/jpeg", Accept=contract.JSON_TYPE
        )["Body"].read()
        ours, clients = server.requests
    assert ours.partition("\r\n")[0] == clients.partition("\r\n")[0] == "POST /endpoints/dogs/invocations HTTP/1.1"
    assert ours.partition("\r\n\r\n")[2] == clients.partition("\r\n\r\n")[2] == PICTURE.decode("latin-1")
    for name in ("Content-Type", "Accept", "Content-Length", "X-Amz-Security-Token"):
        assert headers(ours)[name] == headers(clients)[name]
    ours_signed, clients_signed = signed(headers(ours)), signed(headers(clients))
    assert ours_signed["key"] == clients_signed["key"]
    assert ours_signed["scope"] == clients_signed["scope"] == "eu-west-3/sagemaker/aws4_request"
    assert {"host", "x-amz-date", "x-amz-security-token"} <= set(ours_signed["headers"].split(";"))


@pytest.mark.parametrize("answer", ERRORS)
def test_an_error_is_the_same_as_the_clients(answer: bytes, session: Any) -> None:
    with serving(lambda _: [answer]) as server:
        with pytest.raises(ClientError) as ours:
            runtime(server.url).invoke("dogs", PICTURE, "image/jpeg")
        with pytest.raises(ClientError) as clients:
            client(session, "eu-west-3", server.url).invoke_endpoint(EndpointName="dogs", Body=PICTURE)
    assert ours.value.response["Error"]["Code"] == clients.value.response["Error"]["Code"]
    assert ours.value.response["OriginalStatusCode"] == clients.value.response.get("OriginalStatusCode")


@pytest.mark.parametrize(
    "region",
    [
        *("us-east-1", "eu-west-3", "us-gov-west-1", "cn-north-1", "us-iso-east-1", "us-isob-east-1"),
        *("us-isof-south-1", "eu-isoe-west-1", "eusc-de-east-1"),
    ],
)
def test_it_is_where_the_client_finds_it(region: str, session: Any) -> None:
    assert Runtime({"AWS_REGION": region}).address == client(session, region).meta.endpoint_url


def test_it_is_where_the_environment_says() -> None:
    named = {"AWS_REGION": "eu-west-3", "AWS_ENDPOINT_URL": "http://127.0.0.1:1/"}
    assert Runtime(named).address == "http://127.0.0.1:1"
    assert Runtime({**named, "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": "http://b"}).address == "http://b"


def test_credentials_that_are_renewed_are_used() -> None:
    environment = dict(ENVIRONMENT)
    with serving(lambda _: [http(b"{}")]) as server:
        environment["AWS_ENDPOINT_URL"] = server.url
        runtime = Runtime(environment)
        runtime.invoke("dogs", PICTURE, "image/png")
        environment["AWS_ACCESS_KEY_ID"] = "ASIARENEWED"
        del environment["AWS_SESSION_TOKEN"]
        runtime.invoke("dogs", PICTURE, "image/png")
        assert [signed(headers(request))["key"] for request in server.requests] == ["ASIAEXAMPLE", "ASIARENEWED"]
        assert headers(server.requests[1])["X-Amz-Security-Token"] is None


def test_a_connection_that_breaks_is_botocores_exception() -> None:
    with serving(lambda _: [b""]) as server, pytest.raises(ConnectionClosedError):
        runtime(server.url).invoke("dogs", PICTURE, "image/png")
    with pytest.raises(EndpointConnectionError):
        runtime(server.url).invoke("dogs", PICTURE, "image/png")
