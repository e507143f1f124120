"""Only requests that are signed with a known key are answered: real clients against a real server."""

from __future__ import annotations

import datetime as dt
import hashlib
import http.client
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from pedigree.localaws.daemon import LocalAws
from pedigree.localaws.http.sigv4 import payload
from pedigree.localaws.kernel.access_key import WELL_KNOWN, AccessKey
from tests.support.chunked_upload import chunked_request
from tests.support.local_aws import KEY, REGION, client, running_local_aws
from tests.support.malformed import wire
from tests.support.users import allowing, made_user, refused, user_client

BUCKET = "pictures"
VERSION_4 = Config(signature_version="s3v4")
LIST_QUEUES = wire.HttpRequest(
    headers={"X-Amz-Target": "AmazonSQS.ListQueues", "Content-Type": "application/x-amz-json-1.0"}, body=b"{}"
)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local"), enforces_iam=True) as started:
        client(started.url, "s3").create_bucket(Bucket=BUCKET)
        yield started


def fetched(url: str, method: str = "GET", body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    """What a program without keys gets for a URL."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    connection.request(method, f"{parts.path}?{parts.query}", body, headers)
    answer = connection.getresponse()
    status, content = answer.status, answer.read()
    connection.close()
    return status, content


CALLS = {
    "s3": ("list_buckets", "SignatureDoesNotMatch", "InvalidAccessKeyId", 403),
    "iam": ("list_roles", "SignatureDoesNotMatch", "InvalidClientTokenId", 403),
    "sts": ("get_caller_identity", "SignatureDoesNotMatch", "InvalidClientTokenId", 403),
    "ec2": ("describe_instances", "AuthFailure", "AuthFailure", 401),
    "lambda": ("list_functions", "InvalidSignatureException", "UnrecognizedClientException", 403),
    "scheduler": ("list_schedules", "InvalidSignatureException", "UnrecognizedClientException", 403),
    "sagemaker": ("list_models", "InvalidSignatureException", "UnrecognizedClientException", 400),
    "events": ("list_rules", "InvalidSignatureException", "UnrecognizedClientException", 400),
    "logs": ("describe_log_groups", "InvalidSignatureException", "UnrecognizedClientException", 400),
    "sqs": ("list_queues", "SignatureDoesNotMatch", "UnrecognizedClientException", 403),
}


@pytest.mark.parametrize("service", CALLS)
def test_a_wrong_secret_and_a_foreign_key_are_refused_in_the_services_form(local: LocalAws, service: str) -> None:
    operation, mismatch, unknown, status = CALLS[service]
    getattr(client(local.url, service), operation)()
    refused(getattr(client(local.url, service, replace(KEY, secret="wrong")), operation), mismatch, status)
    for key in (WELL_KNOWN, AccessKey("AKIANOBODY", KEY.secret)):
        with pytest.raises(ClientError) as foreign:
            getattr(client(local.url, service, key), operation)()
        assert foreign.value.response["Error"]["Code"] == unknown


@pytest.mark.parametrize("key", ["local", KEY.id])
def test_naming_a_key_is_not_having_it(local: LocalAws, key: str) -> None:
    request = replace(LIST_QUEUES, headers={**LIST_QUEUES.headers, **wire.signed("sqs", key)})
    assert wire.send(local.port, request).status in (400, 403)
    assert wire.send(local.port, LIST_QUEUES).code == "MissingAuthenticationToken"
    assert wire.send(local.port, wire.sign(LIST_QUEUES, "sqs", local.port)).status == 200


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"target": "/?Action=DeleteQueue"},
        {"target": "/elsewhere"},
        {"body": b"{ }"},
        {"X-Amz-Target": "AmazonSQS.CreateQueue"},
        {"X-Amz-Date": "20200101T000000Z"},
        {"X-Amz-Security-Token": "another"},
        {"X-Amz-Meta": "added"},
    ],
)
def test_a_request_that_was_changed_is_refused(local: LocalAws, change: dict[str, Any]) -> None:
    request = wire.sign(LIST_QUEUES, "sqs", local.port)
    parts = {name: value for name, value in change.items() if name[0].islower()}
    headers = {name: value for name, value in change.items() if not name[0].islower()}
    changed = replace(request, headers={**request.headers, **headers}, **parts)
    answer = wire.send(local.port, changed)
    assert (answer.status, answer.code in ("SignatureDoesNotMatch", "UnrecognizedClientException")) == (403, True), (
        answer
    )


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_clock_that_is_wrong_is_reported(local: LocalAws, minutes: int) -> None:
    then = dt.datetime.now(dt.timezone.utc) + dt.timedelta(minutes=minutes)
    with mock.patch("botocore.auth.get_current_datetime", return_value=then):
        words = refused(client(local.url, "sts").get_caller_identity, "SignatureDoesNotMatch", 403)
        assert "Signature expired" in words if minutes < 0 else "Signature not yet current" in words
        refused(client(local.url, "s3").list_buckets, "RequestTimeTooSkewed", 403)
    then -= dt.timedelta(minutes=minutes / 2)
    with mock.patch("botocore.auth.get_current_datetime", return_value=then):
        client(local.url, "s3").list_buckets()


def test_a_session_is_its_key_with_its_token(local: LocalAws) -> None:
    iam = client(local.url, "iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName="taken", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    first, second = (
        client(local.url, "sts").assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]
        for name in ("first", "second")
    )
    assert user_client(local, "sts", first).get_caller_identity()["Arn"].endswith("/taken/first")
    for changed in (
        {**first, "SessionToken": second["SessionToken"]},
        {**first, "SessionToken": None},
        {**first, "SecretAccessKey": second["SecretAccessKey"]},
        {**first, "AccessKeyId": second["AccessKeyId"]},
    ):
        with pytest.raises(ClientError, match=r"InvalidClientTokenId|SignatureDoesNotMatch"):
            user_client(local, "sts", changed).get_caller_identity()


def test_a_users_key_is_good_until_it_is_deactivated(local: LocalAws) -> None:
    key = made_user(local, "ann", allowing("s3:ListAllMyBuckets"))
    assert user_client(local, "s3", key).list_buckets()["Buckets"]
    refused(user_client(local, "s3", {**key, "SecretAccessKey": "wrong"}).list_buckets, "SignatureDoesNotMatch", 403)
    iam = client(local.url, "iam")
    iam.update_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    refused(user_client(local, "s3", key).list_buckets, "InvalidAccessKeyId", 403)


KEYS = ["plain", "a b+c", "ä/ö~(1)*'!", "a//b/../c/./d", "%41%2F", "=&?#;:@,$"]


@pytest.mark.parametrize("config", [None, VERSION_4])
@pytest.mark.parametrize("key", KEYS)
def test_a_presigned_url_does_what_it_was_signed_for(local: LocalAws, config: Config | None, key: str) -> None:
    more = {"config": config} if config else {}
    s3 = client(local.url, "s3", **more)
    put = s3.generate_presigned_url("put_object", {"Bucket": BUCKET, "Key": key, "ContentType": "text/plain"})
    assert fetched(put, "PUT", b"content", **{"Content-Type": "text/plain"})[0] == 200
    assert fetched(put, "PUT", b"content", **{"Content-Type": "text/html"})[0] == 403
    get = s3.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": key})
    assert fetched(get) == (200, b"content")
    assert fetched(get, "DELETE")[0] == 403
    assert fetched(get.replace(BUCKET, "other"))[0] == 403
    assert fetched(get.replace("ignature=", "ignature=0"))[0] == 403
    listed = s3.generate_presigned_url("list_objects_v2", {"Bucket": BUCKET, "Prefix": key})
    assert fetched(listed)[0] == 200
    if config is VERSION_4:
        assert fetched(f"{listed}&max-keys=1")[0] == 403


@pytest.mark.parametrize("config", [None, VERSION_4])
def test_a_presigned_url_ends_and_names_a_known_key(local: LocalAws, config: Config | None) -> None:
    more = {"config": config} if config else {}
    arguments = ("get_object", {"Bucket": BUCKET, "Key": "plain"})
    ended = client(local.url, "s3", **more).generate_presigned_url(*arguments, ExpiresIn=-10 if config is None else 0)
    long_ago = dt.datetime.now(dt.timezone.utc) - dt.timedelta(hours=2)
    with mock.patch("botocore.auth.get_current_datetime", return_value=long_ago):
        ended = client(local.url, "s3", **more).generate_presigned_url(*arguments) if config else ended
    status, body = fetched(ended)
    assert (status, b"Request has expired" in body) == (403, True)
    foreign = client(local.url, "s3", AccessKey("AKIANOBODY", "x"), **more).generate_presigned_url(*arguments)
    status, body = fetched(foreign)
    assert (status, b"InvalidAccessKeyId" in body) == (403, True)
    week = client(local.url, "s3", config=VERSION_4).generate_presigned_url(*arguments, ExpiresIn=604_801)
    status, body = fetched(week)
    assert (status, b"<Code>AuthorizationQueryParametersError</Code>" in body) == (400, True)


def test_a_presigned_url_of_a_session_carries_its_token(local: LocalAws) -> None:
    iam = client(local.url, "iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(
        RoleName="signer", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowing("s3:GetObject", "sts:GetCallerIdentity")]})
    iam.put_role_policy(RoleName="signer", PolicyName="own", PolicyDocument=policy)
    client(local.url, "s3").put_object(Bucket=BUCKET, Key="plain", Body=b"content")
    keys = client(local.url, "sts").assume_role(RoleArn=arn, RoleSessionName="signing")["Credentials"]
    s3 = user_client(local, "s3", keys)
    get = s3.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "plain"})
    assert fetched(get) == (200, b"content")
    assert fetched(get.replace("oken=", "oken=0"))[0] == 403
    sts = user_client(local, "sts", keys)
    status, body = fetched(sts.generate_presigned_url("get_caller_identity", HttpMethod="GET"))
    assert (status, b"assumed-role/signer/signing" in body) == (200, True)
    put = s3.generate_presigned_url("put_object", {"Bucket": BUCKET, "Key": "plain"})
    assert fetched(put, "PUT", b"other")[0] == 403


def test_an_object_that_is_not_what_was_signed_is_not_stored(local: LocalAws) -> None:
    digest = hashlib.sha256(b"content").hexdigest()
    request = AWSRequest("PUT", f"{local.url}/{BUCKET}/signed", data=b"content")
    S3SigV4Auth(Credentials(KEY.id, KEY.secret), "s3", REGION).add_auth(request)
    headers = dict(request.headers.items())
    assert headers["X-Amz-Content-SHA256"] == digest
    status, body = fetched(request.url, "PUT", b"c0ntent", **headers)
    assert (status, b"XAmzContentSHA256Mismatch" in body) == (400, True)
    assert fetched(request.url, "PUT", b"content", **{**headers, "X-Amz-Content-SHA256": payload.UNSIGNED})[0] == 403
    refused(lambda: client(local.url, "s3").get_object(Bucket=BUCKET, Key="signed"), "NoSuchKey", 404)
    assert fetched(request.url, "PUT", b"content", **headers)[0] == 200


def upload(local: LocalAws, key: str, declared: str, change: Callable[[bytes], bytes] = bytes) -> tuple[int, bytes]:
    """Upload chunks that are signed one by one; `change` changes what is sent of them."""
    url = f"{local.url}/{BUCKET}/{key}"
    headers, body = chunked_request(url, KEY, declared, CHUNKS)
    return fetched(url, "PUT", change(body), **headers)


CHUNKS = [b"a" * 70_000, b"b" * 10]


@pytest.mark.parametrize("declared", [payload.CHUNKED, payload.CHUNKED_TRAILER])
def test_an_object_in_signed_chunks_is_stored_as_it_was_signed(local: LocalAws, declared: str) -> None:
    s3 = client(local.url, "s3")
    assert upload(local, "chunks", declared)[0] == 200
    assert s3.get_object(Bucket=BUCKET, Key="chunks")["Body"].read() == b"".join(CHUNKS)
    status, body = upload(local, "changed", declared, lambda sent: sent.replace(b"bbbb", b"bbbc"))
    assert (status, b"SignatureDoesNotMatch" in body) == (403, True)
    assert upload(local, "changed", declared, lambda sent: sent.replace(b"chunk-signature=", b"ignored="))[0] == 403
    refused(lambda: s3.get_object(Bucket=BUCKET, Key="changed"), "NoSuchKey", 404)


def test_a_trailer_is_signed(local: LocalAws) -> None:
    status, body = upload(
        local, "changed", payload.CHUNKED_TRAILER, lambda sent: sent.replace(b"trailer-signature:", b"else:")
    )
    assert status in (400, 403), body


def test_a_transfer_in_parts_is_accepted(local: LocalAws, tmp_path: Path) -> None:
    session = boto3.session.Session(KEY.id, KEY.secret, region_name=REGION)
    (tmp_path / "file").write_bytes(b"x" * (9 << 20))
    session.client("s3", endpoint_url=local.url).upload_file(str(tmp_path / "file"), BUCKET, "parts")
    assert client(local.url, "s3").head_object(Bucket=BUCKET, Key="parts")["ContentLength"] == 9 << 20
