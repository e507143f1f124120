"""Images are fetched from servers that break off, do not answer, lie or send too much; the result is complete."""

from __future__ import annotations

import hashlib
import logging
import random
from dataclasses import replace
from pathlib import Path

import pytest
from file_server import Behavior, ReceivedRequest, Reply, bucket, part, serving
from image_trees import as_folder, as_zip

from download import DownloadRetries
from errors import DataError, InvalidFlagError
from fetch import MAX_BYTES, LocalSource, fetch, parse_source
from progress import ProgressLog

CONTENT = random.Random(1).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
QUICK = DownloadRetries(timeout_seconds=5, max_attempts=3, first_backoff_seconds=0.001)


def fetched(address: str, folder: Path, max_bytes: int = MAX_BYTES, retry: DownloadRetries = QUICK) -> LocalSource:
    return fetch(parse_source(address), folder, max_bytes, retry)


def test_a_file_arrives_as_it_is_and_its_hash_is_known(tmp_path: Path) -> None:
    with serving(lambda request, _: part(CONTENT, request)) as server:
        found = fetched(f"{server.url}/images.zip", tmp_path)
    assert found.path.read_bytes() == CONTENT
    assert found.sha256 == SHA256


def test_an_interrupted_download_is_resumed(tmp_path: Path) -> None:
    with serving(lambda request, _: part(CONTENT, request, limit=70_000)) as server:
        assert fetched(f"{server.url}/images.zip", tmp_path).sha256 == SHA256
    assert [request.begin for request in server.requests] == [0, 70_000, 140_000, 210_000, 280_000]
    assert {request.headers.get("If-Range") for request in server.requests[1:]} == {'"1"'}


def test_a_file_that_changed_during_the_download_is_fetched_again(tmp_path: Path) -> None:
    def behavior(request: ReceivedRequest, number: int) -> Reply:
        return part(bytes(1000), request, '"old"', limit=500) if number == 1 else part(CONTENT, request, '"new"')

    with serving(behavior) as server:
        assert fetched(f"{server.url}/images.zip", tmp_path).path.read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_a_part_of_another_file_is_not_accepted(tmp_path: Path) -> None:
    def behavior(request: ReceivedRequest, number: int) -> Reply:
        reply = part(CONTENT, request, limit=100_000 if number == 1 else None)
        if number == 2:
            reply.headers["Content-Range"] = f"bytes 5-{len(CONTENT) - 1}/{len(CONTENT)}"
        return reply

    with serving(behavior) as server:
        assert fetched(f"{server.url}/images.zip", tmp_path).sha256 == SHA256
    assert [request.begin for request in server.requests] == [0, 100_000, 0]


def test_a_server_without_ranges_sends_the_whole_file_again(tmp_path: Path) -> None:
    def behavior(_: ReceivedRequest, number: int) -> Reply:
        body = CONTENT[:1000] if number == 1 else CONTENT
        return Reply(headers={"Content-Length": str(len(CONTENT))}, body=body)

    with serving(behavior) as server:
        assert fetched(f"{server.url}/images.zip", tmp_path).sha256 == SHA256


def test_a_server_without_progress_is_given_up(tmp_path: Path) -> None:
    behavior: Behavior = lambda request, _: Reply(headers={"Content-Length": "1000"}, body=b"as far as this")  # noqa: E731
    with serving(behavior) as server, pytest.raises(DataError, match=r"broke off after 14 of 1000 bytes, 3 times; try"):
        fetched(f"{server.url}/images.zip", tmp_path)
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_temporary_status_codes_are_retried(tmp_path: Path, status: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with serving(lambda request, number: Reply(status) if number < 3 else part(CONTENT, request)) as server:
        assert fetched(f"{server.url}/images.zip", tmp_path).sha256 == SHA256
    assert [record.getMessage().rpartition("; ")[2] for record in caplog.records] == [
        "next try in 0.001 s",
        "next try in 0.002 s",
    ]


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_permanent_status_codes_are_not_retried(tmp_path: Path, status: int) -> None:
    with (
        serving(lambda *_: Reply(status)) as server,
        pytest.raises(DataError, match=rf"answered {status} .*; check the address"),
    ):
        fetched(f"{server.url}/images.zip", tmp_path)
    assert len(server.requests) == 1


def test_a_time_out_is_retried(tmp_path: Path) -> None:
    with serving(lambda request, number: Reply(silent=True) if number == 1 else part(CONTENT, request)) as server:
        found = fetched(f"{server.url}/images.zip", tmp_path, retry=replace(QUICK, timeout_seconds=0.2))
    assert found.sha256 == SHA256


def test_an_unreachable_server_is_reported_after_some_attempts(tmp_path: Path) -> None:
    with serving(lambda request, _: part(CONTENT, request)) as server:
        pass
    with pytest.raises(DataError, match=r"the connection failed \(.*refused\), 3 times; try again later"):
        fetched(f"{server.url}/images.zip", tmp_path)


def test_backoff_grows_up_to_a_limit() -> None:
    assert [DownloadRetries().backoff(failures) for failures in (1, 2, 3, 10)] == [1, 2, 4, 30]


def test_more_than_is_allowed_is_refused_before_it_comes(tmp_path: Path) -> None:
    with (
        serving(lambda request, _: part(CONTENT, request)) as server,
        pytest.raises(DataError, match=r"has more than 0.0001 GB; raise --most-gigabytes"),
    ):
        fetched(f"{server.url}/images.zip", tmp_path, max_bytes=100_000)
    assert (tmp_path / "source.zip").stat().st_size == 0


def test_more_than_is_allowed_is_cut_off_where_nothing_was_announced(tmp_path: Path) -> None:
    with (
        serving(lambda *_: Reply(body=CONTENT * 20)) as server,
        pytest.raises(DataError, match=r"has more than 0.0001 GB"),
    ):
        fetched(f"{server.url}/images.zip", tmp_path, max_bytes=100_000)
    assert (tmp_path / "source.zip").stat().st_size <= 100_000


def test_more_than_was_announced_is_not_read(tmp_path: Path) -> None:
    headers = {"Content-Length": str(len(CONTENT))}
    with serving(lambda *_: Reply(headers=headers, body=CONTENT + b"and more")) as server:
        assert fetched(f"{server.url}/images.zip", tmp_path).sha256 == SHA256


def test_more_than_the_disk_holds_is_refused(tmp_path: Path) -> None:
    with (
        serving(lambda *_: Reply(headers={"Content-Length": str(10**17)})) as server,
        pytest.raises(DataError, match=r"and the disk .* GB left; give it a larger one"),
    ):
        fetched(f"{server.url}/images.zip", tmp_path, max_bytes=10**18)


def test_another_address_is_followed_and_a_file_of_this_machine_is_not(tmp_path: Path) -> None:
    def behavior(request: ReceivedRequest, _: int) -> Reply:
        to = {"/web": "/images.zip", "/disk": "file:///etc/passwd"}.get(request.path)
        return Reply(302, {"Location": to}) if to else part(CONTENT, request)

    with serving(behavior) as server:
        assert fetched(f"{server.url}/web", tmp_path).sha256 == SHA256
        with pytest.raises(DataError, match="answered 302"):
            fetched(f"{server.url}/disk", tmp_path)


def test_a_slow_download_logs_its_progress(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    progress = ProgressLog("fetching images.zip", "bytes", interval=0)
    progress.update(25_000_000, 100_000_000)
    assert caplog.messages[0].startswith("fetching images.zip: 25.0 MB of 100.0 MB (25%), ")


@pytest.mark.parametrize("form", ["{}#sha256={}", "{}"])
def test_a_correct_checksum_is_accepted(tmp_path: Path, form: str) -> None:
    with serving(lambda request, _: part(CONTENT, request)) as server:
        where = parse_source(form.format(f"{server.url}/images.zip", SHA256.upper()), SHA256)
        assert fetch(where, tmp_path, retry=QUICK).sha256 == SHA256
    assert server.requests[0].path == "/images.zip"


@pytest.mark.parametrize("after", [True, False])
def test_a_wrong_checksum_is_an_error(tmp_path: Path, after: bool) -> None:
    with serving(lambda request, _: part(CONTENT, request)) as server:
        address, wrong = f"{server.url}/images.zip", "0" * 64
        where = parse_source(f"{address}#sha256={wrong}") if after else parse_source(address, wrong)
        with pytest.raises(DataError, match=rf"has the SHA-256 {SHA256}, not {wrong}; "):
            fetch(where, tmp_path, retry=QUICK)


@pytest.mark.parametrize(
    ("address", "sha256", "message"),
    [
        ("https://host/a.zip#sha256=12", "", "'12' is not a SHA-256; give the 64"),
        ("https://host/a.zip", "g" * 64, "is not a SHA-256"),
        ("https://host/a.zip#sha256=" + "0" * 64, "1" * 64, "ask for different checksums; keep one"),
        ("ftp://host/a.zip", "", "has an unsupported scheme; use https://"),
        ("file:///etc/passwd", "", "has an unsupported scheme"),
    ],
)
def test_an_invalid_source_is_reported_at_once(address: str, sha256: str, message: str) -> None:
    with pytest.raises(InvalidFlagError, match=message):
        parse_source(address, sha256)


def test_secrets_in_an_address_are_not_written() -> None:
    where = parse_source("https://me:password@host:8443/images.zip?X-Amz-Signature=secret")
    assert where.public_name == "https://host:8443/images.zip"


def test_a_local_source_is_read_in_place(tmp_path: Path) -> None:
    archive = as_zip({"cat/1.jpg": b"one"}, tmp_path / "images.zip")
    folder = as_folder({"cat/1.jpg": b"one"}, tmp_path / "folder")
    assert fetched(str(archive), tmp_path).path == archive
    assert fetched(str(folder), tmp_path) == LocalSource(folder)


def test_a_folder_with_nothing_but_a_zip_is_that_zip(tmp_path: Path) -> None:
    folder = as_folder({"images.zip": CONTENT, ".hidden": b""}, tmp_path / "channel")
    assert fetch(parse_source(str(folder), SHA256), tmp_path) == LocalSource(folder / "images.zip", SHA256)


def test_a_folder_has_no_checksum(tmp_path: Path) -> None:
    with pytest.raises(InvalidFlagError, match="is a folder, and a checksum is for one file; leave it out"):
        fetch(parse_source(str(tmp_path), SHA256), tmp_path)


def test_a_missing_source_is_reported(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere does not exist; give a folder, a zip, or an address"):
        fetched(str(tmp_path / "nowhere"), tmp_path)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """AWS's variables with credentials of no account."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_an_interrupted_download_from_s3_is_resumed(tmp_path: Path, account: pytest.MonkeyPatch) -> None:
    with serving(bucket({"dogs/images.zip": CONTENT}, limit=120_000)) as server:
        account.setenv("AWS_ENDPOINT_URL", server.url)
        found = fetched(f"s3://pictures/dogs/images.zip#sha256={SHA256}", tmp_path)
    assert found.path.read_bytes() == CONTENT
    assert [request.begin for request in server.requests] == [0, 120_000, 240_000]
    assert {request.headers.get("If-Match") for request in server.requests[1:]} == {'"1"'}


@pytest.mark.parametrize("address", ["s3://pictures/dogs/", "s3://pictures/dogs"])
def test_a_prefix_in_s3_arrives_as_a_folder(tmp_path: Path, account: pytest.MonkeyPatch, address: str) -> None:
    objects = {f"dogs/train/cat/{number}.jpg": bytes([number]) * 1000 for number in range(40)}
    with serving(bucket({**objects, "dogs/": b"", "dogs/train/dog/": b"", "other/1.jpg": b"other"})) as server:
        account.setenv("AWS_ENDPOINT_URL", server.url)
        folder = fetched(address, tmp_path).path
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert files == {key.removeprefix("dogs/"): content for key, content in objects.items()}
    assert (folder / "train" / "dog").is_dir()


def test_a_key_that_leads_out_of_its_prefix_is_refused(tmp_path: Path, account: pytest.MonkeyPatch) -> None:
    with serving(bucket({"dogs/../../escape.jpg": b"harm"})) as server:
        account.setenv("AWS_ENDPOINT_URL", server.url)
        with pytest.raises(DataError, match="leads out of its folder"):
            fetched("s3://pictures/dogs/", tmp_path)
    assert not list(tmp_path.parent.rglob("escape.jpg"))


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("s3://pictures/none.zip", "answered NoSuchKey It is not there.; check the address, the role's s3:GetObject"),
        ("s3://pictures/none/", "holds nothing; check the address"),
        ("s3://pictures/dogs/", "has more than 0.0001 GB; raise"),
        ("s3://pictures/dogs/1.zip", "has more than 0.0001 GB; raise"),
    ],
)
def test_errors_of_s3_are_reported(tmp_path: Path, account: pytest.MonkeyPatch, address: str, message: str) -> None:
    with serving(bucket({"dogs/1.zip": CONTENT})) as server:
        account.setenv("AWS_ENDPOINT_URL", server.url)
        with pytest.raises(DataError, match=message):
            fetched(address, tmp_path, max_bytes=100_000)
