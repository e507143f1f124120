"""Connections: a client that is silent, slow or gone costs no worker, no memory and no other client's time."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pedigree.localaws.daemon import LocalAws
from tests.support.local_aws import client, running_local_aws
from tests.support.malformed import wire
from tests.support.waiting import until

_PATIENCE_SECONDS = 60
_SILENT = 400  # more than twice as many as there are workers
_MEGABYTE = b"x" * (1 << 20)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local")) as started:
        client(started.url, "s3").create_bucket(Bucket="bucket")
        yield started


def head(local: LocalAws, first: str, *lines: str, is_signed: bool = True, body: bytes = b"") -> bytes:
    """The head of a request whose body is or would be the given one."""
    method, target, _ = first.split()
    headers = wire.sign(wire.HttpRequest(method, target, body=body), "s3", local.port).headers
    signed = [f"{name}: {value}" for name, value in headers.items() if name.lower() != "host"] if is_signed else []
    return "\r\n".join((first, f"Host: 127.0.0.1:{local.port}", *signed, *lines, "", "")).encode()


def connect(local: LocalAws) -> socket.socket:
    return socket.create_connection(("127.0.0.1", local.port), timeout=_PATIENCE_SECONDS)


def everything(connection: socket.socket) -> bytes:
    """What comes until the daemon hangs up."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65_536):
            received += piece
    return received


def spooled(local: LocalAws) -> list[Path]:
    return list((local.world.folder / "objects" / "arriving").iterdir())


def _spooled_bytes(local: LocalAws) -> int:
    return sum(path.stat().st_size for path in spooled(local))


@pytest.mark.parametrize("kind", ["nothing", "half a line", "half a head", "unsigned body", "half a body"])
def test_silent_connections_cost_no_worker(local: LocalAws, kind: str) -> None:
    beginning = {
        "nothing": b"",
        "half a line": b"GET / HT",
        "half a head": b"GET / HTTP/1.1\r\nHost: x\r\nX-",
        "unsigned body": head(local, "PUT /bucket/a HTTP/1.1", "Content-Length: 9", is_signed=False) + b"x",
        "half a body": head(local, "PUT /bucket/a HTTP/1.1", "Content-Length: 9") + b"x",
    }[kind]
    sqs = client(local.url, "sqs")
    sqs.list_queues()
    with contextlib.ExitStack() as stack:
        for _ in range(_SILENT):
            silent = stack.enter_context(connect(local))
            if beginning:
                silent.sendall(beginning)
        times = []
        for _ in range(9):
            begun = time.perf_counter()
            sqs.list_queues()
            times.append(time.perf_counter() - begun)
    # One call took ten seconds when they had the workers. The bound leaves room for a machine that is busy.
    assert sorted(times)[4] < 1


def test_a_body_that_comes_in_pieces_is_received_as_one(local: LocalAws) -> None:
    s3 = client(local.url, "s3")
    with connect(local) as connection:
        connection.sendall(head(local, "PUT /bucket/slow HTTP/1.1", f"Content-Length: {3 << 20}", body=3 * _MEGABYTE))
        for number in range(2):
            connection.sendall(_MEGABYTE)
            until(lambda least=number << 20: _spooled_bytes(local) > least, True)  # type: ignore[misc]
        connection.sendall(_MEGABYTE)
        assert b"200 OK" in connection.recv(4096)
    assert s3.head_object(Bucket="bucket", Key="slow")["ContentLength"] == 3 << 20
    until(lambda: spooled(local), [])


def test_what_was_received_is_removed_when_the_client_is_gone(local: LocalAws) -> None:
    with connect(local) as connection:
        connection.sendall(head(local, "PUT /bucket/a HTTP/1.1", f"Content-Length: {9 << 20}") + _MEGABYTE)
        until(lambda: len(spooled(local)), 1)
    until(lambda: spooled(local), [])


def test_a_body_that_stalls_is_refused_in_the_end(local: LocalAws) -> None:
    with connect(local) as connection:
        connection.sendall(head(local, "PUT /bucket/a HTTP/1.1", "Content-Length: 9") + b"x")
        answer = everything(connection)
    assert b"RequestTimeout" in answer
    assert spooled(local) == []


def test_half_a_head_is_answered_that_it_took_too_long(local: LocalAws) -> None:
    with connect(local) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        assert everything(connection).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    ("first", "is_signed", "status"),
    [
        ("POST /_local/health HTTP/1.1", False, 405),
        ("PUT /bucket/a HTTP/1.1", False, 403),
        ("PUT /missing/a HTTP/1.1", True, 404),
    ],
)
def test_a_refused_body_is_not_read_and_its_client_sees_the_answer(
    local: LocalAws, first: str, is_signed: bool, status: int
) -> None:
    with connect(local) as connection:
        connection.sendall(head(local, first, f"Content-Length: {1 << 30}", is_signed=is_signed))
        sent = 0
        with contextlib.suppress(ConnectionError):
            for _ in range(200):
                connection.sendall(_MEGABYTE)
                sent += 1
    assert sent < 20  # what the buffers of both sides hold, and a little that is thrown away
    with connect(local) as connection:
        connection.sendall(head(local, first, "Content-Length: 100000", is_signed=is_signed) + b"x" * 50_000)
        assert everything(connection).startswith(f"HTTP/1.1 {status}".encode())


def test_a_client_that_asks_first_is_told_to_send_only_what_is_wanted(local: LocalAws) -> None:
    lines = ("Content-Length: 5", "Expect: 100-continue")
    with connect(local) as connection:
        connection.sendall(head(local, "PUT /bucket/asked HTTP/1.1", *lines, body=b"hello"))
        assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hello")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    with connect(local) as connection:
        connection.sendall(head(local, "PUT /missing/asked HTTP/1.1", *lines))
        assert connection.recv(4096).startswith(b"HTTP/1.1 404")


def test_requests_that_come_at_once_are_answered_in_their_order(local: LocalAws) -> None:
    put = head(local, "PUT /bucket/one HTTP/1.1", "Content-Length: 3", body=b"abc") + b"abc"
    chunked = (
        head(local, "PUT /bucket/two HTTP/1.1", "Transfer-Encoding: chunked", body=b"de") + b"2\r\nde\r\n0\r\n\r\n"
    )
    get = head(local, "GET /bucket/two HTTP/1.1", "Connection: close")
    with connect(local) as connection:
        connection.sendall(put + chunked + get)
        answers = everything(connection)
    assert (answers.count(b"HTTP/1.1 200"), answers.endswith(b"\r\n\r\nde")) == (3, True)


def test_a_chunk_that_is_as_large_as_it_likes_takes_no_memory_and_is_refused(local: LocalAws) -> None:
    with connect(local) as connection:
        connection.sendall(head(local, "POST / HTTP/1.1", "Transfer-Encoding: chunked") + b"fffffffff\r\n")
        with contextlib.suppress(ConnectionError):
            for _ in range(200):
                connection.sendall(_MEGABYTE)
    assert spooled(local) == []


def test_one_connection_too_many_takes_the_place_of_the_oldest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pedigree.localaws.http.request_waiter._OTHER_FILES", 10**9)  # so that 64 may wait
    with running_local_aws(tmp_path) as small, contextlib.ExitStack() as stack:
        silent = [stack.enter_context(connect(small)) for _ in range(100)]
        assert silent[0].recv(1) == b""
        assert client(small.url, "sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200
