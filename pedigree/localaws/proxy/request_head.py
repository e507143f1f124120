"""The head of a request to a proxy, pure: CONNECT with a host, or a whole URL of http."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pedigree.localaws.kernel.errors import LocalAwsError

_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]{1,253}):(?P<port>\d{1,5})\Z", re.ASCII)
_URL = re.compile(r"http://(?P<authority>[^/?#@\s]+)(?P<path>(?:[/?][^\s#]*)?)\Z", re.ASCII)
_LINE = re.compile(r"(?P<method>[A-Z]{1,20}) (?P<target>\S+) HTTP/1\.[01]\Z", re.ASCII)
_HTTP_PORT, _MOST_PORT = 80, 65_535
# These are between the client and its proxy; a connection that is passed on is for one request only.
_OWN_HEADERS = ("connection", "proxy-connection", "proxy-authorization", "keep-alive")


class ProxyRequestError(LocalAwsError):
    """A request that a proxy cannot pass on, as one line of an answer."""


@dataclass(frozen=True)
class HostAndPort:
    """A host and a port; an IPv6 address has no brackets."""

    host: str
    port: int

    @property
    def authority(self) -> str:
        """As a URL has it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class ProxyRequest:
    """What a client asks a proxy for: a tunnel, or to pass `forwarded` on, which is the head for the target itself."""

    target: HostAndPort
    forwarded: bytes = b""

    @property
    def is_tunnel(self) -> bool:
        """Whether the client speaks with the target itself, usually by TLS."""
        return not self.forwarded


def parse(head: bytes) -> ProxyRequest:
    """Read a head with its empty line; ProxyRequestError if a proxy cannot follow it."""
    first, *headers = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    line = _LINE.match(first)
    if line is None:
        raise ProxyRequestError("the request is not HTTP")
    if line["method"] == "CONNECT":
        return ProxyRequest(_target(line["target"]))
    url = _URL.match(line["target"])
    if url is None:
        raise ProxyRequestError("this is a proxy; AWS_ENDPOINT_URL has the address of the local AWS")
    authority = url["authority"]
    target = _target(authority if _AUTHORITY.match(authority) else f"{authority}:{_HTTP_PORT}")
    kept = [header for header in headers if header.partition(":")[0].strip().lower() not in _OWN_HEADERS]
    path = url["path"] if url["path"].startswith("/") else f"/{url['path']}"
    lines = (f"{line['method']} {path} HTTP/1.1", *kept, "Connection: close", "", "")
    return ProxyRequest(target, "\r\n".join(lines).encode("latin-1"))


def _target(authority: str) -> HostAndPort:
    match = _AUTHORITY.match(authority)
    if match is None or not 0 < int(match["port"]) <= _MOST_PORT:
        raise ProxyRequestError(f"{authority!r} is no host with a port")
    return HostAndPort(match["host"].strip("[]").lower().removesuffix("."), int(match["port"]))
