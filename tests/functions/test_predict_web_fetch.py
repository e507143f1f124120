"""A picture from the web: the fetch ends, in time and in bytes, whichever way the server misbehaves."""

from __future__ import annotations

import gzip
import itertools
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from predicting import web_fetch
from predicting.errors import RequestRefusedError
from tests.support.certificates import self_signed
from tests.support.loopback import Answer, Server, http, redirect, serving

PUBLIC, ALSO_PUBLIC = "93.184.216.34", "2606:2800:220:1::1"
URL = "https://pictures.example/dog.png"
MAX_BYTES = 1000
PICTURE = b"\x89PNG" + bytes(500)


def ticking(seconds: float) -> Callable[[], float]:
    """Returns a clock that advances with every reading."""
    return partial(next, itertools.count(0, seconds))


def network(server: Server, **other: Callable[..., object]) -> web_fetch.Network:
    """Returns a network with one host in it."""
    ways: dict[str, Callable[..., object]] = {
        "resolve": lambda _: [PUBLIC],
        "connect": lambda *_: server.connect(),
        "secure": lambda connection, *_: connection,
    }
    return web_fetch.Network(**{**ways, **other})  # type: ignore[arg-type]


def fetched(answer: Answer, seconds: float = 5, **other: Callable[..., object]) -> bytes:
    with serving(answer) as server:
        return web_fetch.fetch(URL, MAX_BYTES, seconds, network(server, **other))


def refusal(answer: Answer, seconds: float = 5, **other: Callable[..., object]) -> RequestRefusedError:
    with pytest.raises(RequestRefusedError) as caught:
        fetched(answer, seconds, **other)
    return caught.value


def always(*pieces: bytes) -> Answer:
    return lambda _: pieces


def endless(start: bytes, piece: bytes) -> Answer:
    return lambda _: itertools.chain([start], itertools.repeat(piece))


def chunked(*bodies: bytes) -> bytes:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body), body) for body in bodies)
    return http(chunks, "Transfer-Encoding: chunked")


def in_pieces(whole: bytes) -> Answer:
    return lambda _: [whole[place : place + 1] for place in range(len(whole))]


@pytest.mark.parametrize(
    "answer",
    [
        always(http(PICTURE)),
        always(http(PICTURE, "Content-Encoding: identity", "Content-Type: text/html")),
        always(http(PICTURE), b"more than was told"),
        always(chunked(PICTURE[:100], PICTURE[100:], b"")),
        always(b"HTTP/1.0 200 OK\r\n\r\n" + PICTURE),
        always(b"HTTP/1.1 100 Continue\r\n\r\n", http(PICTURE)),
        in_pieces(http(PICTURE)),
    ],
)
def test_a_picture_comes_as_it_is_however_it_is_sent(answer: Answer) -> None:
    assert fetched(answer) == PICTURE


def test_a_picture_may_have_just_as_many_bytes_as_fit() -> None:
    assert len(fetched(always(http(bytes(MAX_BYTES))))) == MAX_BYTES
    assert refusal(always(http(bytes(MAX_BYTES + 1)))).status == 413


def test_a_request_asks_for_an_uncompressed_body_and_holds_no_secret() -> None:
    with serving(always(http(PICTURE))) as server:
        web_fetch.fetch(URL + "?a=1#b", MAX_BYTES, 5, network(server))
        lines = server.requests[0].split("\r\n")
    assert lines[:2] == ["GET /dog.png?a=1 HTTP/1.1", "Host: pictures.example"]
    assert "Accept-Encoding: identity" in lines
    assert not [line for line in lines if line.lower().startswith(("cookie", "authorization", "x-amz"))]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        # Too many bytes: announced, not announced, chunked, and endless
        (always(http(b"", "Content-Length: 1001")), 413),
        (always(http(b"", "Content-Length: 99999999999999999999")), 413),
        (always(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(5000)), 413),
        (endless(b"HTTP/1.1 200 OK\r\n\r\n", bytes(4096)), 413),
        (endless(http(b"", "Transfer-Encoding: chunked"), b"a\r\n0123456789\r\n"), 413),
        (always(chunked(bytes(900), bytes(900), b"")), 413),
        # Too many bytes around the picture
        (endless(http(b"", "Transfer-Encoding: chunked"), b"1;%s\r\n0\r\n" % (b"x" * 60_000)), 422),
        (endless(b"HTTP/1.1 200 OK\r\n", b"X: %s\r\n" % (b"x" * 100)), 422),
        (endless(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 1000), 422),
        (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), 422),
        (endless(b"", b"x"), 422),
        # Decompression bombs: nothing is ever unpacked
        (always(http(gzip.compress(bytes(10**6)), "Content-Encoding: gzip")), 415),
        (always(http(zlib.compress(bytes(10**6)), "Content-Encoding: deflate")), 415),
        (always(http(b"x", "Content-Encoding: br")), 415),
        (always(http(b"x", "Content-Encoding: gzip, gzip, gzip")), 415),
        # No answer, or none with a picture
        (always(http(b"no", status="404 Not Found")), 422),
        (always(http(b"no", status="500 Oh")), 422),
        (always(http(b"x", status="206 Partial Content")), 422),
        (always(http(b"x", status="204 No Content")), 422),
        (always(http(b"x", status="304 Not Modified")), 422),
        (always(http(b"x", status="103 Early Hints")), 422),
        (always(http(b"", status="302 Found")), 422),
        (always(b"HTTP/1.1 302 Found\r\nLocation: /\xff\r\n\r\n"), 422),
        (always(b"SSH-2.0-OpenSSH_9.6\r\n"), 422),
        (always(b"HTTP/1.1 abc\r\n\r\n"), 422),
        (always(b""), 422),
        # It breaks off
        (always(http(PICTURE)[:-1]), 422),
        (always(chunked(PICTURE)[:-10]), 422),
        (always(http(b"zz\r\n", "Transfer-Encoding: chunked")), 422),
    ],
)
def test_invalid_responses_are_refused(answer: Answer, status: int) -> None:
    assert refusal(answer).status == status


@pytest.mark.parametrize(
    "answer",
    [
        endless(http(b"", "Content-Length: 1000"), b"x"),
        endless(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        endless(http(b"", "Transfer-Encoding: chunked"), b"1\r\nx\r\n"),
        lambda _: itertools.chain([b"HTTP/1.1 200 OK\r\n"], itertools.repeat(b"X: x\r\n")),
    ],
)
def test_a_server_that_is_never_silent_and_never_done_is_left_after_the_time_for_all_of_it(answer: Answer) -> None:
    refused = refusal(answer, seconds=20, clock=ticking(5))
    assert refused.status == 408
    assert "20 s" in str(refused)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", http(b"", "Content-Length: 9") + b"1"])
def test_a_server_that_falls_silent_is_left(start: bytes) -> None:
    over = threading.Event()

    def answer(_: str) -> Iterator[bytes]:
        yield start
        over.wait(5)

    try:
        assert refusal(answer, seconds=0.1).status == 408
    finally:
        over.set()


def test_redirects_share_the_time() -> None:
    refused = refusal(always(redirect("/again")), seconds=20, clock=ticking(2))
    assert refused.status == 408


def test_a_name_whose_owner_lets_the_resolver_wait_is_left() -> None:
    over = threading.Event()
    try:
        assert refusal(always(http(PICTURE)), seconds=0.2, resolve=lambda _: over.wait(5)).status == 408
    finally:
        over.set()


def test_the_next_address_is_tried_where_one_does_not_answer() -> None:
    with serving(always(http(PICTURE))) as server:
        addresses: list[str] = []

        def connect(address: str, _: float) -> socket.socket:
            addresses.append(address)
            if address == ALSO_PUBLIC:
                raise OSError("no route")
            return server.connect()

        there = network(server, resolve=lambda _: [ALSO_PUBLIC, PUBLIC], connect=connect)
        assert web_fetch.fetch(URL, MAX_BYTES, 5, there) == PICTURE
    assert addresses == [ALSO_PUBLIC, PUBLIC]


def test_a_name_of_very_many_addresses_is_not_tried_for_ever() -> None:
    addresses: list[str] = []

    def connect(address: str, _: float) -> socket.socket:
        addresses.append(address)
        raise OSError("no route")

    many = [f"93.184.216.{number}" for number in range(200)]
    assert refusal(always(http(PICTURE)), resolve=lambda _: many, connect=connect).status == 422
    assert len(addresses) == web_fetch.MAX_ADDRESSES


def test_the_real_connector_connects_to_the_number_that_it_is_given() -> None:
    with serving(always(http(PICTURE))) as server, web_fetch.connect("127.0.0.1", 1, server.port) as connection:
        assert connection.getpeername() == ("127.0.0.1", server.port)
    with pytest.raises(OSError, match="refused"):
        web_fetch.connect("127.0.0.1", 1, server.port)


def test_the_real_resolver_returns_all_addresses_and_none_for_an_unknown_name() -> None:
    assert set(web_fetch.resolve_host("localhost")) <= {"127.0.0.1", "::1"}
    assert web_fetch.resolve_host("localhost")
    assert web_fetch.resolve_host("93.184.216.34") == ["93.184.216.34"]
    assert not web_fetch.resolve_host("no-such-name.invalid")
    assert not web_fetch.resolve_host("a" * 70 + ".example")


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Server, ssl.SSLContext]]:
    """Runs a server with a certificate for pictures.example, and yields a context that trusts it."""
    trust = self_signed("pictures.example", tmp_path)
    with serving(always(http(PICTURE)), trust.server) as server:
        yield server, trust.client


def test_the_host_must_have_a_certificate_for_its_name(secure: tuple[Server, ssl.SSLContext]) -> None:
    server, trust = secure
    encrypted = network(server, secure=partial(web_fetch.start_tls, trust=trust))
    assert web_fetch.fetch(URL, MAX_BYTES, 5, encrypted) == PICTURE
    with pytest.raises(RequestRefusedError, match=r"other\.example has no trusted certificate"):
        web_fetch.fetch("https://other.example/", MAX_BYTES, 5, encrypted)
    assert len(server.requests) == 1


def test_a_certificate_with_a_common_name_alone_is_refused(tmp_path: Path) -> None:
    trust = self_signed("pictures.example", tmp_path, has_alternative_name=False)
    with serving(always(http(PICTURE)), trust.server) as server:
        encrypted = network(server, secure=partial(web_fetch.start_tls, trust=trust.client))
        with pytest.raises(RequestRefusedError, match=r"pictures\.example has no trusted certificate"):
            web_fetch.fetch(URL, MAX_BYTES, 5, encrypted)
        assert not server.requests
    assert not web_fetch.system_trust().hostname_checks_common_name


def test_a_self_signed_certificate_is_refused(secure: tuple[Server, ssl.SSLContext]) -> None:
    with pytest.raises(RequestRefusedError, match="no trusted certificate"):
        web_fetch.fetch(URL, MAX_BYTES, 5, network(secure[0], secure=web_fetch.start_tls))
    assert not secure[0].requests


def test_a_server_without_encryption_is_not_asked() -> None:
    with serving(always(http(PICTURE))) as server:
        with pytest.raises(RequestRefusedError):
            web_fetch.fetch(URL, MAX_BYTES, 0.1, network(server, secure=web_fetch.start_tls))
        assert not server.requests


def test_messages_to_the_sender_contain_no_resolved_address() -> None:
    refused = refusal(always(http(PICTURE)), resolve=lambda _: ["10.1.2.3"])
    unknown = refusal(always(http(PICTURE)), resolve=lambda _: [])
    assert str(refused) == str(unknown)
    assert refused.status == unknown.status == 403
