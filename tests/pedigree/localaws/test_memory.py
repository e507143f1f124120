"""Memory: no request takes much by its size, and nothing stays of thousands of hostile ones."""

from __future__ import annotations

import contextlib
import http.client
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from urllib3.filepost import encode_multipart_formdata

from tests.support.hostile import send_hostile_requests
from tests.support.local_aws import client, real_daemon
from tests.support.malformed import wire

_MOST_BYTES_OF_A_REQUEST = 32 << 20
_MOST_BYTES_OF_MANY = 100 << 20
_MANY = 800
_LARGE = 96 << 20
_PIECE = bytes(1 << 20)
_PATIENCE_SECONDS = 120

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


class Daemon:
    """A local AWS in a process of its own, whose memory is read from outside."""

    def __init__(self, process: int, url: str) -> None:
        self._process = process
        self.url = url
        self.port = int(url.rpartition(":")[2])
        self.s3 = client(url, "s3")

    def resident(self) -> int:
        return self._status("VmRSS")

    def growth(self, call: Callable[[], Any]) -> int:
        """By how many bytes it grows at most while something is asked of it."""
        Path(f"/proc/{self._process}/clear_refs").write_text("5")  # the peak begins anew
        before = self.resident()
        with contextlib.suppress(OSError, http.client.HTTPException):
            call()
        return self._status("VmHWM") - before

    def send(self, method: str, target: str, service: str, body: bytes, headers: Mapping[str, str]) -> None:
        request = wire.HttpRequest(method, target, headers, body)
        wire.send(self.port, wire.sign(request, service, self.port))

    def pour(self, *lines: str, signed: Mapping[str, str] | None = None, beginning: bytes = b"") -> None:
        """Send a head, and then a large body as long as it is taken."""
        headers = [f"{name}: {value}" for name, value in (signed or {}).items() if name.lower() != "host"]
        head = "\r\n".join((lines[0], f"Host: 127.0.0.1:{self.port}", *headers, *lines[1:], "", ""))
        with socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE_SECONDS) as connection:
            connection.sendall(head.encode() + beginning)
            for _ in range(_LARGE // len(_PIECE)):
                connection.sendall(_PIECE)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65_536):
                pass

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self._process}/status").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) << 10
        raise LookupError(name)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with real_daemon(tmp_path_factory.mktemp("local")) as running:
        started = Daemon(running.pid, running.url)
        started.s3.create_bucket(Bucket="bucket")
        _warm_up(started)
        yield started


def _warm_up(daemon: Daemon) -> None:
    """Load what is loaded once: models of services, numpy."""
    for service, call in (("sqs", "list_queues"), ("iam", "list_roles"), ("sagemaker", "list_models")):
        getattr(client(daemon.url, service), call)()
    for _ in range(4):
        daemon.send("PUT", "/bucket/a", "s3", bytes(1 << 20), {"x-amz-checksum-crc32c": "AAAAAA=="})


def signed(daemon: Daemon, method: str, target: str) -> Mapping[str, str]:
    return wire.sign(wire.HttpRequest(method, target), "s3", daemon.port).headers


def pour_unsigned(daemon: Daemon) -> None:
    daemon.pour("PUT /bucket/a HTTP/1.1", f"Content-Length: {_LARGE}")


def pour_into_health(daemon: Daemon) -> None:
    daemon.pour("POST /_local/health HTTP/1.1", f"Content-Length: {_LARGE}")


def pour_into_a_missing_bucket(daemon: Daemon) -> None:
    headers = signed(daemon, "PUT", "/missing/a")
    daemon.pour("PUT /missing/a HTTP/1.1", f"Content-Length: {_LARGE}", signed=headers)


def pour_one_chunk(daemon: Daemon) -> None:
    headers = signed(daemon, "PUT", "/bucket/a")
    beginning = f"{_LARGE:x}\r\n".encode()
    daemon.pour("PUT /bucket/a HTTP/1.1", "Transfer-Encoding: chunked", signed=headers, beginning=beginning)


def put(daemon: Daemon) -> None:
    daemon.s3.put_object(Bucket="bucket", Key="large", Body=bytes(_LARGE))


def get(daemon: Daemon) -> None:
    for _ in daemon.s3.get_object(Bucket="bucket", Key="large")["Body"].iter_chunks(1 << 20):
        pass


def get_a_range(daemon: Daemon) -> None:
    answer = daemon.s3.get_object(Bucket="bucket", Key="large", Range=f"bytes=1-{_LARGE - 9}")
    for _ in answer["Body"].iter_chunks(1 << 20):
        pass


def copy(daemon: Daemon) -> None:
    daemon.s3.copy_object(Bucket="bucket", Key="copy", CopySource="bucket/large")


def upload_and_copy_parts(daemon: Daemon) -> None:
    place = {"Bucket": "bucket", "Key": "joined"}
    upload = daemon.s3.create_multipart_upload(**place)["UploadId"]
    first = daemon.s3.upload_part(**place, UploadId=upload, PartNumber=1, Body=bytes(_LARGE // 2))["ETag"]
    copied = daemon.s3.upload_part_copy(**place, UploadId=upload, PartNumber=2, CopySource="bucket/large")
    etags = (first, copied["CopyPartResult"]["ETag"])
    parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
    daemon.s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})


def upload_by_a_form(daemon: Daemon) -> None:
    form = daemon.s3.generate_presigned_post("bucket", "posted")
    body, kind = encode_multipart_formdata([*form["fields"].items(), ("file", ("a", bytes(_LARGE)))])
    wire.send(daemon.port, wire.HttpRequest("POST", "/bucket", {"Content-Type": kind}, body))
    assert daemon.s3.head_object(Bucket="bucket", Key="posted")["ContentLength"] == _LARGE


def pour_into_the_fields_of_a_form(daemon: Daemon) -> None:
    kind = "Content-Type: multipart/form-data; boundary=b"
    beginning = b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\n'
    daemon.pour("POST /bucket HTTP/1.1", kind, f"Content-Length: {_LARGE}", beginning=beginning)


def send_a_form_of_many_fields(daemon: Daemon) -> None:
    body = b"Action=ListRoles&Version=2010-05-08" + b"&a=" * 600_000
    daemon.send("POST", "/", "iam", body, {"Content-Type": "application/x-www-form-urlencoded"})


def send_many_lists(daemon: Daemon) -> None:
    body = b'{"a":[' + b"[]," * 600_000 + b"0]}"
    headers = {"X-Amz-Target": "SageMaker.ListModels", "Content-Type": "application/x-amz-json-1.1"}
    daemon.send("POST", "/", "sagemaker", body, headers)


def send_many_elements(daemon: Daemon) -> None:
    daemon.send("POST", "/bucket?delete", "s3", b"<Delete>" + b"<a/>" * 900_000 + b"</Delete>", {})


ORDINARY = (put, get, get_a_range, copy, upload_and_copy_parts, upload_by_a_form)
HOSTILE = (
    *(pour_unsigned, pour_into_health, pour_into_a_missing_bucket, pour_one_chunk),
    *(pour_into_the_fields_of_a_form, send_a_form_of_many_fields, send_many_lists, send_many_elements),
)


@pytest.mark.parametrize("call", [*ORDINARY, *HOSTILE])
def test_a_request_takes_little_memory_whatever_its_size(daemon: Daemon, call: Callable[[Daemon], None]) -> None:
    assert daemon.growth(lambda: call(daemon)) < _MOST_BYTES_OF_A_REQUEST


def test_nothing_stays_of_many_hostile_requests(daemon: Daemon) -> None:
    before = daemon.resident()
    send_hostile_requests(daemon.port, _MANY)
    assert daemon.resident() - before < _MOST_BYTES_OF_MANY
    assert daemon.s3.list_buckets()["Buckets"]
