"""Bytes that are no request of any protocol: the local AWS refuses them and listens to this machine only."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pedigree.localaws.daemon import LocalAws, Options
from tests.support.endpoints import create_endpoint
from tests.support.images import images_file
from tests.support.local_aws import client, running_local_aws, with_key
from tests.support.malformed import wire

_PATIENCE_SECONDS = 60
# A client that still sends after the refusal may find the connection closed before it reads the answer.
_UNREAD = 1000
_LISTENING = "0A"
_SCOPES = sorted({wire.scope(service) for service in wire.SERVICES})
_GOOD = {
    "sqs": wire.HttpRequest(
        headers={"X-Amz-Target": "AmazonSQS.ListQueues", "Content-Type": "application/x-amz-json-1.0"}
    ),
    "iam": wire.HttpRequest(
        headers={"Content-Type": "application/x-www-form-urlencoded"}, body=b"Action=ListRoles&Version=2010-05-08"
    ),
}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local"), enforces_iam=True) as started:
        yield started


def raw(port: int, content: bytes, *, is_whole: bool = True) -> bytes:
    """What comes back for bytes, until the daemon has no more to say."""
    received = b""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_SECONDS) as connection,
        contextlib.suppress(OSError),
    ):
        connection.sendall(content)
        if is_whole:
            connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(65_536):
            received += piece
    return received


def statuses(received: bytes) -> list[int]:
    """The statuses of the answers in what came back."""
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3})", received)]


def is_well(local: LocalAws) -> bool:
    """Whether the daemon answers an ordinary question."""
    return _send(local, replace(_GOOD["sqs"], body=b"{}")).status == 200


def _send(local: LocalAws, request: wire.HttpRequest, **more: str) -> wire.HttpResponse:
    return wire.send(local.port, wire.sign(request, "sqs", local.port, **more))  # type: ignore[arg-type]


def signed(
    local: LocalAws,
    *lines: str,
    body: bytes = b"",
    framed: bytes | None = None,
    service: str = "sqs",
    first: str = "POST / HTTP/1.1",
    host: str | None = None,
) -> bytes:
    """A signed request; its body may come in another frame than the one that is signed."""
    method, target, _ = first.split(" ")
    hosts = (f"Host: {f'127.0.0.1:{local.port}' if host is None else host}",) if host != "" else ()
    headers = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    request = wire.sign(wire.HttpRequest(method, target, headers, body), service, local.port)
    added = (f"{name}: {value}" for name, value in request.headers.items() if name not in headers)
    head = "\r\n".join((first, *hosts, *added, *lines, "Connection: close", "", ""))
    return head.encode("latin-1", "replace") + (body if framed is None else framed)


@settings(max_examples=settings().max_examples * 2)
@given(content=st.binary(max_size=300))
def test_bytes_that_are_no_http_are_refused(local: LocalAws, content: bytes) -> None:
    assert all(400 <= status < 500 for status in statuses(raw(local.port, content)))
    assert is_well(local)


_PIECES = st.sampled_from(
    [
        *("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE", "BREW", "post", ""),
        *(
            " ",
            "  ",
            "\t",
            "/",
            "//",
            "/%00",
            "/%zz",
            "/..%2f..",
            "/é",
            "*",
            "?",
            "?a=b&a=c&&&=",
            "#x",
            "/" + "a" * 70_000,
        ),
        *("http://elsewhere.example/", "HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/x.y", "ICY/1.0"),
        *("\r\n", "\n", "\r", "\x00", ":", "Host", "Host: 127.0.0.1", "Host: elsewhere.example", "A" * 70_000),
        *("Content-Length: 5", "Content-Length: -1", "Content-Length: x", "Content-Length: 99999999999999999999"),
        *(
            "Transfer-Encoding: chunked",
            "Transfer-Encoding: gzip",
            "Transfer-Encoding: chunked, chunked",
            "Expect: 100-continue",
        ),
        *(
            "5\r\nhello\r\n0\r\n\r\n",
            "zz\r\nhello",
            "-5\r\n",
            "ffffffffffffffff\r\n",
            "{}",
            '{"a":',
            "<a>",
            " continued",
        ),
    ]
)


@settings(max_examples=settings().max_examples * 2)
@given(pieces=st.lists(_PIECES, max_size=12))
def test_pieces_of_http_in_any_order_are_refused(local: LocalAws, pieces: list[str]) -> None:
    received = raw(local.port, "".join(pieces).encode("latin-1", "replace"))
    assert all(status < 500 for status in statuses(received)), received
    assert is_well(local)


_BODIES = (
    *(b"{", b"[", b"[]", b"null", b'"x"', b'{"a":', b"{}", b'{"a":"\\ud800"}', b'{"a":1e999}', b'{"a":NaN}', b"1e999"),
    *(
        b"Action=",
        b"Action=ListRoles&Action=GetRole",
        b"&",
        b"\xff\xfe{\x00}\x00",
        b"<!DOCTYPE a>",
        b"<a>",
        b"\x1f\x8b",
    ),
)


@settings(max_examples=settings().max_examples * 2)
@given(
    service=st.sampled_from(_SCOPES),
    lines=st.lists(
        _PIECES.filter(lambda piece: "\n" not in piece and "\r" not in piece and piece.count(":") == 1), max_size=4
    ),
    first=st.sampled_from(
        ("GET / HTTP/1.1", "POST / HTTP/1.1", "PUT /a/b?c HTTP/1.1", "DELETE /a HTTP/1.0", "HEAD /a/b HTTP/1.1")
    ),
    target=st.sampled_from(
        ("", "X-Amz-Target: ", "X-Amz-Target: a.b", "X-Amz-Target: AmazonSQS.", "X-Amz-Target: .....")
    ),
    kind=st.sampled_from(
        (
            "",
            "Content-Type: application/x-amz-json-1.1",
            "Content-Type: x",
            "Content-Type: multipart/form-data",
            "Content-Encoding: gzip",
        )
    ),
    piece=st.one_of(st.binary(max_size=40), st.sampled_from(_BODIES)),
    times=st.sampled_from((1, 1, 1, 50_000)),
)
def test_a_signed_request_of_no_protocol_is_refused(
    local: LocalAws, service: str, lines: list[str], first: str, target: str, kind: str, piece: bytes, times: int
) -> None:
    body = piece * times
    headers = [line for line in (*lines, target, kind, f"Content-Length: {len(body)}") if line]
    received = raw(local.port, signed(local, *headers, body=body, service=service, first=first))
    assert received or len(body) > _UNREAD, (headers, first)
    assert all(status < 500 for status in statuses(received)), received
    assert is_well(local)


@pytest.mark.parametrize("service", _SCOPES)
def test_a_body_that_does_not_come_blocks_no_other_request(local: LocalAws, service: str) -> None:
    with contextlib.ExitStack() as stack:
        for line in ("Content-Length: 100", "Transfer-Encoding: chunked"):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", local.port), timeout=_PATIENCE_SECONDS))
            slow.sendall(signed(local, line, "X-Amz-Target: AmazonSQS.ListQueues", framed=b'5\r\n{"a', service=service))
        assert is_well(local)


def test_a_body_that_ends_early_is_refused(local: LocalAws) -> None:
    received = raw(local.port, signed(local, "Content-Length: 100", "X-Amz-Target: AmazonSQS.ListQueues", body=b"{}"))
    assert statuses(received) == [400]
    assert b"IncompleteBody" in received


def test_a_body_in_chunks_is_read(local: LocalAws) -> None:
    lines = (
        "X-Amz-Target: AmazonSQS.ListQueues",
        "Content-Type: application/x-amz-json-1.0",
        "Transfer-Encoding: chunked",
    )
    assert statuses(raw(local.port, signed(local, *lines, body=b"{}", framed=b"2\r\n{}\r\n0\r\n\r\n"))) == [200]


def test_a_body_that_is_too_large_is_refused_before_it_comes(local: LocalAws) -> None:
    received = raw(local.port, signed(local, f"Content-Length: {1 << 30}"), is_whole=False)
    assert statuses(received) == [413]


@pytest.mark.parametrize("region", ["xx-nowhere-9", "..", "us-east-1%00", "US-EAST-1", "a" * 200])
def test_a_region_that_is_none_is_refused(local: LocalAws, region: str) -> None:
    answer = _send(local, replace(_GOOD["sqs"], body=b"{}"), region=region)
    assert 400 <= answer.status < 500


HOSTS = (
    "elsewhere.example",
    "elsewhere.example:{port}",
    "127.0.0.1",
    "127.0.0.1:1",
    "127.0.0.1.elsewhere.example:{port}",
    "localhost.:{port}",
    "[::1]",
    "0.0.0.0:{port}",
    " ",
    "127.0.0.1:{port}@elsewhere.example",
)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("more", ["", "X-Forwarded-Host: 127.0.0.1:{port}", "Forwarded: host=127.0.0.1:{port}"])
def test_a_request_to_a_foreign_host_is_refused(local: LocalAws, host: str, more: str) -> None:
    lines = [more.format(port=local.port)] if more else []
    request = signed(
        local,
        *lines,
        "X-Amz-Target: AmazonSQS.ListQueues",
        "Content-Length: 2",
        host=host.format(port=local.port),
        body=b"{}",
    )
    assert statuses(raw(local.port, request)) == [403]


@pytest.mark.parametrize("second", ["elsewhere.example", "127.0.0.1:{port}"])
def test_two_host_headers_are_refused(local: LocalAws, second: str) -> None:
    request = signed(
        local,
        f"Host: {second.format(port=local.port)}",
        "X-Amz-Target: AmazonSQS.ListQueues",
        "Content-Length: 2",
        body=b"{}",
    )
    assert statuses(raw(local.port, request)) == [400]


@pytest.mark.parametrize(
    "target",
    ["http://elsewhere.example/", "http://127.0.0.1/", "https://elsewhere.example:443/x", "elsewhere.example:80"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "CONNECT", "OPTIONS"])
def test_a_target_that_names_a_host_is_refused(local: LocalAws, target: str, method: str) -> None:
    request = signed(local, "Content-Length: 0", first=f"{method} {target} HTTP/1.1")
    assert statuses(raw(local.port, request)) in ([400], [403], [405])


def test_a_request_without_a_host_is_refused(local: LocalAws) -> None:
    for version in ("1.0", "1.1"):
        assert statuses(raw(local.port, signed(local, "Content-Length: 0", first=f"POST / HTTP/{version}", host="")))[
            0
        ] in (400, 403)


def test_a_page_of_another_origin_gets_no_access(local: LocalAws) -> None:
    origin = {"Origin": "http://elsewhere.example"}
    answer = _send(local, wire.HttpRequest(headers={**_GOOD["sqs"].headers, **origin}, body=b"{}"))
    assert not [name for name in answer.headers if name.startswith("access-control")]
    preflight = {**origin, "Access-Control-Request-Method": "POST"}
    assert wire.send(local.port, wire.HttpRequest("OPTIONS", headers=preflight)).status == 403


def listening(process: int) -> set[str]:
    """The addresses at which a process and its children wait for connections."""
    found: dict[str, str] = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENING:
                found[f"socket:[{fields[9]}]"] = _address(fields[1].partition(":")[0])
    return {found[socket_] for socket_ in _sockets(process) if socket_ in found}


def _address(written: str) -> str:
    words = [struct.pack("=I", int(written[at : at + 8], 16)) for at in range(0, len(written), 8)]
    family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
    return socket.inet_ntop(family, b"".join(words))


def _sockets(process: int) -> Iterator[str]:
    with contextlib.suppress(FileNotFoundError):
        for descriptor in Path(f"/proc/{process}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                yield str(descriptor.readlink())


def children(process: int) -> set[int]:
    """The processes that a process has started, and their own children."""
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    own = {int(number) for task in tasks for number in task.read_text().split()}
    return own.union(*(children(child) for child in own)) if own else own


def test_only_this_machine_is_listened_to(local: LocalAws) -> None:
    assert listening(os.getpid()) == {"127.0.0.1"}


def test_model_servers_listen_to_this_machine_only(tmp_path: Path) -> None:
    before = children(os.getpid())
    serving = LocalAws(Options(with_key(tmp_path), enforces_iam=False, images=images_file(tmp_path)))
    serving.start()
    try:
        client(serving.url, "s3").create_bucket(Bucket="bucket")
        create_endpoint(serving.url, count=2)
        servers = children(os.getpid()) - before
        found = [listening(server) for server in servers]
    finally:
        serving.stop()
    assert len([addresses for addresses in found if addresses]) >= 2
    assert set().union(*found) == {"127.0.0.1"}
