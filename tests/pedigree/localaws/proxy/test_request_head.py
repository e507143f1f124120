"""A proxy follows CONNECT and whole URLs of http; everything else gets one line."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.localaws.proxy.request_head import HostAndPort, ProxyRequestError, parse


def test_a_tunnel_has_a_host_and_a_port() -> None:
    request = parse(b"CONNECT STS.amazonaws.com:443 HTTP/1.1\r\nHost: sts.amazonaws.com:443\r\n\r\n")
    assert request.is_tunnel
    assert request.target == HostAndPort("sts.amazonaws.com", 443)
    assert parse(b"CONNECT [::1]:8443 HTTP/1.1\r\n\r\n").target.authority == "[::1]:8443"


def test_a_url_is_passed_on_as_a_path_and_for_one_request() -> None:
    head = (
        b"GET http://s3.amazonaws.com/b/k?x=1 HTTP/1.1\r\nHost: s3.amazonaws.com\r\n"
        b"Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic c2VjcmV0\r\nX-Own: 1\r\n\r\n"
    )
    request = parse(head)
    assert request.target == HostAndPort("s3.amazonaws.com", 80)
    assert request.forwarded == (
        b"GET /b/k?x=1 HTTP/1.1\r\nHost: s3.amazonaws.com\r\nX-Own: 1\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "this is a proxy"),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", "not HTTP"),
        (b"CONNECT host HTTP/1.1\r\n\r\n", "no host with a port"),
        (b"CONNECT host:0 HTTP/1.1\r\n\r\n", "no host with a port"),
        (b"CONNECT host:65536 HTTP/1.1\r\n\r\n", "no host with a port"),
        (b"CONNECT a b:443 HTTP/1.1\r\n\r\n", "not HTTP"),
        (b"GET http://user@host/ HTTP/1.1\r\n\r\n", "this is a proxy"),
        (b"GET https://host/ HTTP/1.1\r\n\r\n", "this is a proxy"),
    ],
)
def test_what_a_proxy_cannot_follow(head: bytes, why: str) -> None:
    with pytest.raises(ProxyRequestError, match=why):
        parse(head)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_one_line(head: bytes) -> None:
    with contextlib.suppress(ProxyRequestError):
        assert parse(head).target.port
