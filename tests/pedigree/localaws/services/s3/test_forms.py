"""Files that come in forms, which boto3 signs: who may upload what, what is stored, and what is answered."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import boto3
import pytest
import requests
from botocore.config import Config
from urllib3.filepost import encode_multipart_formdata

from pedigree.localaws.daemon import LocalAws
from pedigree.localaws.http.protocol.multipart_form import FORM
from tests.support.local_aws import REGION, client, running_local_aws
from tests.support.users import allowing, denying, made_user, user_client

BUCKET = "forms"
SIGNERS = [Config(signature_version="s3v4"), Config(signature_version="s3"), None]
ACCEPTED = 204


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local"), enforces_iam=True) as started:
        client(started.url, "s3").create_bucket(Bucket=BUCKET)
        yield started


@pytest.fixture(scope="module")
def s3(local: LocalAws) -> Any:
    return client(local.url, "s3", config=SIGNERS[0])


def signed(s3: Any, key: str, fields: Mapping[str, str] | None = None, *conditions: Any) -> Any:
    """A form, with a condition for each of its fields and others."""
    fields = fields or {}
    listed = [*({name: value} for name, value in fields.items()), *conditions]
    return s3.generate_presigned_post(BUCKET, key, Fields=dict(fields), Conditions=listed)


def send(
    form: Any, content: Any = b"content", name: str | None = "dog.jpg", **changed: str | None
) -> requests.Response:
    """Send a form, in which fields may have been changed or left out."""
    fields = {**form["fields"], **{field.replace("_", "-"): value for field, value in changed.items()}}
    kept = {field: value for field, value in fields.items() if value is not None}
    return requests.post(form["url"], kept, files={"file": (name, content)}, allow_redirects=False, timeout=60)


def error(answer: requests.Response) -> Mapping[str, str]:
    """The elements of an error."""
    return {element.tag: element.text or "" for element in ET.fromstring(answer.content)}


def refusal(answer: requests.Response) -> tuple[int, str, str]:
    found = error(answer)
    return answer.status_code, found["Code"], found["Message"]


def stored(s3: Any, key: str) -> bytes:
    content: bytes = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return content


def keys(s3: Any) -> list[str]:
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


@pytest.mark.parametrize("signer", SIGNERS, ids=["version 4", "version 2", "boto3's default"])
@pytest.mark.parametrize("size", [0, 7, 3_000_000])
def test_what_boto3_signs_is_stored(local: LocalAws, s3: Any, signer: Config | None, size: int) -> None:
    answer = send(signed(client(local.url, "s3", config=signer), "a b/ü.bin"), b"x" * size)
    assert (answer.status_code, answer.content) == (ACCEPTED, b"")
    head = s3.head_object(Bucket=BUCKET, Key="a b/ü.bin")
    assert (head["ContentLength"], head["ETag"]) == (size, answer.headers["ETag"])
    assert stored(s3, "a b/ü.bin") == b"x" * size


def test_a_file_has_its_own_name_in_the_key(s3: Any) -> None:
    form = signed(s3, "users/ann/${filename}")
    assert send(form).status_code == ACCEPTED
    assert stored(s3, "users/ann/dog.jpg") == b"content"
    assert send(form, name="C:\\cat.jpg").status_code == ACCEPTED
    assert stored(s3, "users/ann/cat.jpg") == b"content"
    assert send(form, key="users/bob/${filename}").status_code == 403
    assert send(signed(s3, "text/${filename}"), name=None).status_code == ACCEPTED
    assert stored(s3, "text/${filename}") == b"content"


def test_fields_become_the_objects_headers_metadata_and_tags(s3: Any) -> None:
    tags = "<Tagging><TagSet><Tag><Key>Kind + color</Key><Value>dog</Value></Tag></TagSet></Tagging>"
    headers = {"Content-Type": "image/jpeg", "Cache-Control": "max-age=1", "acl": "private", "tagging": tags}
    metadata = {"x-amz-meta-TAKEN": "in Köln", "x-amz-meta-by": "ann"}
    assert send(signed(s3, "described", {**headers, **metadata})).status_code == ACCEPTED
    head = s3.head_object(Bucket=BUCKET, Key="described")
    assert (head["ContentType"], head["CacheControl"]) == ("image/jpeg", "max-age=1")
    assert head["Metadata"] == {"taken": "=?UTF-8?Q?in_K=C3=B6ln?=", "by": "ann"}
    assert s3.get_object_tagging(Bucket=BUCKET, Key="described")["TagSet"] == [{"Key": "Kind + color", "Value": "dog"}]
    assert refusal(send(signed(s3, "x", {"tagging": "none"})))[:2] == (400, "MalformedXML")
    assert refusal(send(signed(s3, "x", {"acl": "public-read"})))[1] == "AccessControlListNotSupported"


def test_a_header_of_the_request_or_of_a_field_adds_no_other(s3: Any) -> None:
    send(signed(s3, "secret"), b"secret")
    form = signed(s3, "copied", {"x-amz-copy-source": f"/{BUCKET}/secret", "x-amz-meta-a": "1\r\nx-amz-meta-b: 2"})
    source = {"x-amz-copy-source": f"/{BUCKET}/secret"}
    files = {"file": ("a", b"content")}
    assert requests.post(form["url"], form["fields"], files=files, headers=source, timeout=60).status_code == ACCEPTED
    assert stored(s3, "copied") == b"content"
    assert list(s3.head_object(Bucket=BUCKET, Key="copied")["Metadata"]) == ["a"]
    assert refusal(send(signed(s3, "x", {"x-amz-meta-a b": ""})))[1] == "InvalidArgument"


def test_the_answer_is_as_the_form_asks_for(s3: Any) -> None:
    url = signed(s3, "k")["url"]
    created = send(signed(s3, "in a/folder", {"success_action_status": "201"}))
    document = error(created)
    location = f"{url.rstrip('/')}/in%20a%2Ffolder"
    assert (created.status_code, created.headers["Location"]) == (201, location)
    etag = created.headers["ETag"]
    assert document == {"Location": location, "Bucket": BUCKET, "Key": "in a/folder", "ETag": etag}
    for asked, status in (("200", 200), ("204", 204), ("404", 204)):
        assert send(signed(s3, "k", {"success_action_status": asked})).status_code == status
    answer = send(signed(s3, "a&b", {"success_action_redirect": "http://localhost.test/done?x=1"}))
    page = f"http://localhost.test/done?x=1&bucket={BUCKET}&key=a%26b&etag=%22{etag.strip(chr(34))}%22"
    assert (answer.status_code, answer.headers["Location"], answer.content) == (303, page, b"")
    for nowhere in ("/relative", "http://[", "javascript:alert(1)", "http://a/\r\nX-B: c"):
        assert send(signed(s3, "k", {"success_action_redirect": nowhere})).status_code == ACCEPTED


def test_a_form_must_be_the_one_that_was_signed(local: LocalAws, s3: Any) -> None:
    form = signed(s3, "mine")
    other = base64.b64encode(json.dumps({"expiration": "2099-01-01T00:00:00Z", "conditions": []}).encode()).decode()
    assert refusal(send(form, key="yours"))[2].endswith('Policy Condition failed: ["eq", "$key", "mine"]')
    assert refusal(send(form, policy=other))[:2] == (403, "SignatureDoesNotMatch")
    assert refusal(send(form, x_amz_signature="0" * 64))[:2] == (403, "SignatureDoesNotMatch")
    assert refusal(send(form, x_amz_meta_more="1"))[2].endswith("Extra input fields: x-amz-meta-more")
    moved = {**form, "url": form["url"].replace(BUCKET, "elsewhere")}
    assert refusal(send(moved))[2].endswith(f'Policy Condition failed: ["eq", "$bucket", "{BUCKET}"]')
    unknown = form["fields"]["x-amz-credential"].replace(form["fields"]["x-amz-credential"][:8], "AKIANONE")
    assert refusal(send(form, x_amz_credential=unknown))[:2] == (403, "InvalidAccessKeyId")
    assert refusal(send(form, x_amz_credential=form["fields"]["x-amz-credential"].replace("s3/", "sqs/")))[0] == 400
    assert refusal(send(form, x_amz_date="20200101T000000Z"))[0] == 400
    assert refusal(send(form, x_amz_algorithm="AWS4-HMAC-SHA1"))[0] == 400
    assert "mine" not in keys(s3)
    assert send(form).status_code == ACCEPTED


def test_a_form_ends_with_its_policy(s3: Any) -> None:
    form = s3.generate_presigned_post(BUCKET, "late", ExpiresIn=-1)
    assert refusal(send(form)) == (403, "AccessDenied", "Invalid according to Policy: Policy expired.")


def test_fields_that_lack_are_named_in_awss_words(local: LocalAws, s3: Any) -> None:
    older = signed(client(local.url, "s3", config=SIGNERS[1]), "k")
    lacking = {
        "x-amz-signature": "X-Amz-Signature",
        "x-amz-algorithm": "X-Amz-Algorithm",
        "policy": "policy",
        "key": "key",
    }
    for form, names in ((signed(s3, "k"), lacking), (older, {name: name for name in ("AWSAccessKeyId",)})):
        for name, written in names.items():
            kept = {field: value for field, value in form["fields"].items() if field != name}
            found = error(send({**form, "fields": kept}))
            order = "If it is specified, please check the order of the fields."
            words = f"Bucket POST must contain a field named '{written}'.  {order}"
            assert (found["Code"], found["Message"], found["ArgumentName"]) == ("InvalidArgument", words, written)
    assert refusal(send({**older, "fields": {"key": "k"}})) == (403, "AccessDenied", "Access Denied")


@pytest.mark.parametrize(("least", "most"), [(5, 10), (600_000, 900_000)])
def test_a_file_has_the_size_that_the_policy_asks_for(s3: Any, tmp_path: Path, least: int, most: int) -> None:
    form = signed(s3, "sized", None, ["content-length-range", least, most])
    for size, code, bound in (
        (most + 1, "EntityTooLarge", "MaxSizeAllowed"),
        (least - 1, "EntityTooSmall", "MinSizeAllowed"),
    ):
        answer = send(form, b"x" * size)
        found = error(answer)
        assert (answer.status_code, found["Code"]) == (400, code)
        assert found[bound] == str(most if code == "EntityTooLarge" else least)
        assert "sized" not in keys(s3)
    for size in (least, most):
        assert send(form, b"x" * size).status_code == ACCEPTED
        assert stored(s3, "sized") == b"x" * size
    s3.delete_object(Bucket=BUCKET, Key="sized")


def test_checksums_of_the_file_are_compared(s3: Any) -> None:
    right = {"x-amz-checksum-crc32": base64.b64encode((0xBBC04B80).to_bytes(4, "big")).decode()}
    wrong = send(signed(s3, "summed", right), b"other")
    assert refusal(wrong)[:2] == (400, "BadDigest")
    assert "summed" not in keys(s3)


def test_iam_decides_as_for_put_object(local: LocalAws, s3: Any) -> None:
    own = allowing("s3:PutObject", resource=f"arn:aws:s3:::{BUCKET}/ann/*")
    key = made_user(local, "ann", own, denying("s3:PutObject", resource=f"arn:aws:s3:::{BUCKET}/ann/no"))
    ann = user_client(local, "s3", key)
    assert send(signed(ann, "ann/yes")).status_code == ACCEPTED
    for name, why in (("bob/a", "because no identity-based policy allows"), ("ann/no", "with an explicit deny")):
        status, code, message = refusal(send(signed(ann, name)))
        assert (status, code) == (403, "AccessDenied")
        assert (
            f'is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::{BUCKET}/{name}" {why}' in message
        )
    assert refusal(send(signed(ann, "${filename}"), name="elsewhere"))[1] == "AccessDenied"


@pytest.mark.parametrize("signer", SIGNERS[:2], ids=["version 4", "version 2"])
def test_a_session_signs_with_its_token(local: LocalAws, s3: Any, signer: Config) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}
    iam, name = client(local.url, "iam"), f"uploader-{signer.signature_version}"
    arn = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": trust})
    )
    everything = json.dumps({"Version": "2012-10-17", "Statement": allowing("s3:*")})
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=everything)
    session = client(local.url, "sts").assume_role(RoleArn=arn["Role"]["Arn"], RoleSessionName="one")["Credentials"]
    keys = {"aws_secret_access_key": session["SecretAccessKey"], "aws_session_token": session["SessionToken"]}
    form = signed(_session_client(local, session["AccessKeyId"], signer, **keys), "by a session")
    assert send(form).status_code == ACCEPTED
    assert send(form, x_amz_security_token="another").status_code == 403
    assert send(form, x_amz_security_token=None).status_code == 403


def _session_client(local: LocalAws, key: str, signer: Config, **more: str) -> Any:
    return boto3.client("s3", region_name=REGION, endpoint_url=local.url, config=signer, aws_access_key_id=key, **more)


def test_what_is_no_form_is_refused(local: LocalAws, s3: Any) -> None:
    form = signed(s3, "k")
    body, kind = encode_multipart_formdata([*form["fields"].items(), ("file", ("a", b"content"))])
    broken = requests.post(form["url"], body[:-20], headers={"Content-Type": kind}, timeout=60)
    words = "The body of your POST request is not well-formed multipart/form-data."
    assert refusal(broken) == (400, "MalformedPOSTRequest", words)
    large = signed(s3, "k", {"x-ignore-this": "x" * 21_000})
    assert refusal(send(large))[:2] == (400, "MaxPostPreDataLengthExceededError")
    without = requests.post(form["url"], files={"other": b"x"}, timeout=60)
    assert refusal(without) == (400, "InvalidArgument", "POST requires exactly one file upload per request.")
    assert refusal(send({**form, "url": f"{local.url}/no-such-bucket"}))[0] == 403
    flat = requests.post(form["url"], form["fields"], timeout=60)
    assert (flat.status_code, error(flat)["Condition"]) == (412, f"Bucket POST must be of the enclosure-type {FORM}")
    nowhere = s3.generate_presigned_post("no-such-bucket", "k")
    assert refusal(send(nowhere))[:2] == (404, "NoSuchBucket")


def test_a_page_of_another_site_uploads_nothing(s3: Any) -> None:
    form = signed(s3, "by a page")
    files = {"file": ("a", b"x")}
    answer = requests.post(form["url"], form["fields"], files=files, headers={"Origin": "http://page.test"}, timeout=60)
    assert answer.status_code == 403
    assert "by a page" not in keys(s3)


def test_a_form_may_come_in_chunks_without_a_length(s3: Any) -> None:
    form = signed(s3, "chunks")
    body, kind = encode_multipart_formdata([*form["fields"].items(), ("file", ("a", b"x" * 300_000))])
    for sent, status in ((body, ACCEPTED), (body[:-30], 400)):
        pieces = (sent[start : start + 7000] for start in range(0, len(sent), 7000))
        answer = requests.post(form["url"], pieces, headers={"Content-Type": kind}, timeout=60)
        assert answer.status_code == status
    assert stored(s3, "chunks") == b"x" * 300_000


def test_a_refused_file_is_not_received_and_a_slow_one_waits_without_a_worker(local: LocalAws, s3: Any) -> None:
    form = signed(s3, "slow", None, ["content-length-range", 0, 10_000_000])
    body, kind = encode_multipart_formdata([*form["fields"].items(), ("file", ("a", b"x" * 5_000_000))])
    head = f"POST /{BUCKET} HTTP/1.1\r\nHost: 127.0.0.1:{local.port}\r\nContent-Type: {kind}\r\n"
    with socket.create_connection(("127.0.0.1", local.port), timeout=60) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode())
        for start, end in pairwise((0, 10, 500, 600_000, 4_000_000, len(body) - 10, len(body))):
            connection.sendall(body[start:end])
            s3.list_buckets()
        assert connection.recv(100).startswith(b"HTTP/1.1 204 ")
    with socket.create_connection(("127.0.0.1", local.port), timeout=60) as connection:
        connection.sendall(f"{head}Content-Length: {10**9}\r\n\r\n".encode() + body[:20_000].replace(b"slow", b"fast"))
        assert b"Policy Condition failed" in b"".join(iter(lambda: connection.recv(65_536), b""))
