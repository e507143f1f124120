"""Authorization, S3 and moto read the same names in a URL, in any alphabet and with any escapes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pedigree.localaws.daemon import LocalAws
from pedigree.localaws.http.parser import refuse_unreadable_url
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.protocol.s3_address import S3Address, address, copy_source
from pedigree.localaws.iam import s3_requests
from pedigree.localaws.moto.environ import environ_for
from tests.policies.arns import arn
from tests.support.calls import exchange, sent
from tests.support.local_aws import client, running_local_aws
from tests.support.malformed import wire
from tests.support.users import allowing, denying, made_user, refused, user_client

BUCKET = "pictures"
KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)


@given(KEYS)
@example("geheim-ä/a b+c")
@example("a%2Fb")
@example("x/../y//z/")
@example("?versionId=1")
def test_authorization_and_s3_read_the_key_that_the_client_wrote(key: str) -> None:
    received = sent("s3", "get_object", Bucket=BUCKET, Key=key)
    resource = s3_requests.arn(BUCKET, key)
    assert [request.resource for request in s3_requests.requests(received)] == [resource]
    assert address(received.raw_path) == S3Address(BUCKET, key)


@given(KEYS)
@example("geheim-ä/a b+c")
@example("a?b%2F")
def test_authorization_and_s3_copy_from_the_key_that_the_client_wrote(key: str) -> None:
    received = sent("s3", "copy_object", Bucket=BUCKET, Key="copy", CopySource={"Bucket": "others", "Key": key})
    resources = [request.resource for request in s3_requests.requests(received)]
    assert resources == [s3_requests.arn(BUCKET, "copy"), s3_requests.arn("others", key)]
    assert copy_source(received.headers) == S3Address("others", key)


def test_a_copy_source_may_be_written_without_escapes() -> None:
    header = "others/geheim-ä/x".encode().decode("latin-1")  # as WSGI has the bytes of a header
    assert copy_source({"x-amz-copy-source": header}) == S3Address("others", "geheim-ä/x")


def test_the_version_that_is_copied_needs_an_action_of_its_own() -> None:
    source = {"Bucket": "others", "Key": "k", "VersionId": "7"}
    received = sent("s3", "copy_object", Bucket=BUCKET, Key="copy", CopySource=source)
    actions = [request.action for request in s3_requests.requests(received)]
    assert actions == ["s3:PutObject", "s3:GetObjectVersion"]


@given(KEYS)
@example("ä +%2F")
def test_a_listing_is_decided_by_the_prefix_that_the_client_wrote(prefix: str) -> None:
    (request,) = s3_requests.requests(sent("s3", "list_objects_v2", Bucket=BUCKET, Prefix=prefix))
    assert request.context["s3:prefix"] == prefix


def test_a_query_in_plain_utf_8_is_read_as_such() -> None:
    raw = "/pictures?prefix=geheim-ä".encode().decode("latin-1")
    (request,) = s3_requests.requests(exchange("s3", "GET", raw, {}))
    assert request.context["s3:prefix"] == "geheim-ä"


def test_names_are_not_normalized() -> None:
    composed, decomposed = (unicodedata.normalize(form, "ä") for form in ("NFC", "NFD"))
    paths = [f"/{BUCKET}/{quote(key)}" for key in (composed, decomposed)]
    assert [address(path).key for path in paths] == [composed, decomposed]
    assert composed != decomposed


ARN = st.text(st.sampled_from("aä/%+ :."), min_size=1, max_size=12)


@given(ARN)
@example("schedule-group/a")
@example("schedule/a%2Fb/c")
def test_the_arn_in_a_path_is_the_one_that_the_client_wrote_and_moto_gets_it(name: str) -> None:
    named = arn("scheduler", name)
    received = sent("scheduler", "list_tags_for_resource", ResourceArn=named)
    assert received.members == {"ResourceArn": named}
    assert environ_for(received)["PATH_INFO"] == f"/tags/{quote(named, safe=':')}"


def test_moto_gets_the_query_that_was_read() -> None:
    received = sent("lambda", "untag_resource", Resource=arn("lambda", "function:f"), TagKeys=["ä +", "b&c"])
    assert parse_qs(environ_for(received)["QUERY_STRING"]) == {"tagKeys": ["ä +", "b&c"]}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    folder: Path = tmp_path_factory.mktemp("local")
    with running_local_aws(folder, enforces_iam=True) as local:
        client(local.url, "s3").create_bucket(Bucket=BUCKET)
        for key in ("geheim-ä/x", "öffentlich/x", "a b+c/x", "x/../y", "x//y"):
            client(local.url, "s3").put_object(Bucket=BUCKET, Key=key, Body=key.encode())
        yield local


@pytest.fixture(scope="module")
def ann(local: LocalAws) -> Any:
    """A user that may read some keys."""
    places = ("öffentlich/*", "geheim-*", "a b+c/*", "x/../y")
    reading = allowing("s3:GetObject", resource=[s3_requests.arn(BUCKET, key) for key in places])
    key = made_user(local, "ann", reading, denying("s3:*", resource=s3_requests.arn(BUCKET, "geheim-ä/*")))
    return user_client(local, "s3", key)


@pytest.mark.parametrize("key", ["öffentlich/x", "a b+c/x", "x/../y"])
def test_an_allow_holds_for_keys_of_any_alphabet(ann: Any, key: str) -> None:
    assert ann.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode() == key


@pytest.mark.parametrize("source", [{"Bucket": BUCKET, "Key": "geheim-ä/x"}, f"{BUCKET}/geheim-%C3%A4%2Fx"])
def test_a_deny_holds_for_keys_of_any_alphabet(ann: Any, source: Any) -> None:
    message = refused(lambda: ann.get_object(Bucket=BUCKET, Key="geheim-ä/x"), "AccessDenied", 403)
    assert message.endswith('geheim-ä/x" with an explicit deny in an identity-based policy')
    refused(lambda: ann.copy_object(Bucket=BUCKET, Key="öffentlich/y", CopySource=source), "AccessDenied", 403)


@pytest.mark.parametrize("url", ["/pictures/%FF", "/pictures/\xff", "/pictures?prefix=%C3", "/pictures/%ED%A0%80"])
def test_a_url_that_is_no_utf_8_is_refused(url: str) -> None:
    with pytest.raises(ServiceError, match="parse the specified URI") as raised:
        refuse_unreadable_url(exchange("s3", "GET", url, {}))
    assert raised.value.code == "InvalidURI"


def test_s3_refuses_such_a_url_in_its_own_form(local: LocalAws) -> None:
    answer = wire.send(local.port, wire.HttpRequest("GET", "/pictures/%FF", wire.signed("s3")))
    assert (answer.status, b"<Code>InvalidURI</Code>" in answer.body) == (400, True)
