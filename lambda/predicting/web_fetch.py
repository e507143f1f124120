"""Fetches a picture from the web so that neither its URL nor its server can lead to a private address.

A name is resolved once; all of its addresses must be public, and exactly these addresses are connected to, so that a
name which resolves differently a moment later (DNS rebinding) changes nothing. The same holds for every redirect. Time
and bytes are limited at the socket, below HTTP, so that headers, chunks and pauses count too.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, cast
from urllib.parse import urljoin

from predicting.deadline import Deadline
from predicting.errors import RequestRefusedError, too_large_error
from predicting.url_guard import PORT, IpAddress, Target, is_public, parse

MAX_REDIRECTS = 5
MAX_ADDRESSES = 4
CONNECT_SECONDS = 3.0
_MAX_OVERHEAD = 256 * 1024  # headers and chunked encoding
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_HEADERS = (
    "User-Agent: pedigree",
    "Accept: image/jpeg, image/png, image/webp",
    "Accept-Encoding: identity",
    "Connection: close",
)


def resolve_host(host: str) -> list[str]:
    """Returns the addresses of a name; empty if there are none."""
    try:
        infos = socket.getaddrinfo(host, PORT, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


def connect(address: str, seconds: float, port: int = PORT) -> socket.socket:
    """Connects to an IP address, without name resolution."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.connect((address, port))
    except BaseException:
        connection.close()
        raise
    return connection


def start_tls(
    connection: socket.socket, host: str, seconds: float, trust: ssl.SSLContext | None = None
) -> socket.socket:
    """Encrypts a connection, and verifies the certificate of the host."""
    connection.settimeout(seconds)
    return (strict(trust) if trust else system_trust()).wrap_socket(connection, server_hostname=host)


@cache
def system_trust() -> ssl.SSLContext:
    """Returns a context that trusts the system's certificates; loaded once."""
    return strict(ssl.create_default_context())


def strict(context: ssl.SSLContext) -> ssl.SSLContext:
    """Returns a context that finds a host in a certificate's alternative names only, as browsers do (RFC 9525)."""
    context.hostname_checks_common_name = False
    return context


@dataclass(frozen=True)
class Network:
    """The functions that resolve names and make connections; tests replace them."""

    resolve: Callable[[str], Sequence[str]] = resolve_host
    connect: Callable[[str, float], socket.socket] = connect
    secure: Callable[[socket.socket, str, float], socket.socket] = start_tls
    clock: Callable[[], float] = time.monotonic


def fetch(url: str, max_bytes: int, seconds: float, network: Network | None = None) -> bytes:
    """Returns the bytes at a URL."""
    network_, host = network or Network(), ""
    deadline = Deadline(seconds, network_.clock)
    try:
        for _ in range(1 + MAX_REDIRECTS):
            target = parse(url)
            host = target.host
            response_ = _request(target, max_bytes, deadline, network_)
            if isinstance(response_, bytes):
                return response_
            url = urljoin(url, response_)
    except TimeoutError as error:
        raise deadline.timeout_error() from error
    except ssl.SSLCertVerificationError as error:
        raise _unusable_url(f"{host} has no trusted certificate") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _unusable_url(f"{host} cannot be reached, or closed the connection") from error
    raise _unusable_url(f"the address redirects more than {MAX_REDIRECTS} times")


def _request(target: Target, max_bytes: int, deadline: Deadline, network: Network) -> bytes | str:
    """Requests a target; returns the bytes, or the location of a redirect."""
    addresses = _addresses(target, deadline, network)
    with (
        _connection(addresses, deadline, network) as plain,
        network.secure(plain, target.host, deadline.remaining()) as connection,
    ):
        lines = (f"GET {target.path} HTTP/1.1", f"Host: {target.authority}", *_HEADERS, "", "")
        connection.settimeout(deadline.remaining())
        connection.sendall("\r\n".join(lines).encode("ascii"))
        limited_reader = _LimitedReader(connection, deadline, max_bytes + _MAX_OVERHEAD)
        # HTTPResponse only calls makefile() on its socket.
        response = http.client.HTTPResponse(cast(socket.socket, limited_reader), method="GET")
        response.begin()
        if response.status in _REDIRECTS:
            return _redirect_location(response.headers.get("Location", ""))
        return _body(response, target.host, max_bytes)


def _addresses(target: Target, deadline: Deadline, network: Network) -> Sequence[IpAddress]:
    """Returns the addresses of a target; raises an error unless all of them are public."""
    ip_address = target.ip_address
    if ip_address:
        addresses = [ip_address]
    else:
        addresses = [ipaddress.ip_address(text) for text in _resolve_in_time(network.resolve, target.host, deadline)]
    if not addresses or not all(is_public(address) for address in addresses):
        # One message for both cases, so that callers cannot find out which private names exist.
        raise RequestRefusedError(
            HTTPStatus.FORBIDDEN, f"{target.host} has no public address", "send a URL that everyone can reach"
        )
    return addresses[:MAX_ADDRESSES]


def _resolve_in_time(resolve: Callable[[str], Sequence[str]], host: str, deadline: Deadline) -> Sequence[str]:
    """Resolves a name with a time limit: a resolver has none, and the owner of a name can delay it."""
    results: SimpleQueue[Sequence[str]] = SimpleQueue()
    Thread(target=lambda: results.put(resolve(host)), daemon=True).start()
    try:
        return results.get(timeout=deadline.remaining())
    except Empty:
        raise deadline.timeout_error() from None


def _connection(addresses: Sequence[IpAddress], deadline: Deadline, network: Network) -> socket.socket:
    failure: OSError | None = None
    for address in addresses:
        try:
            return network.connect(str(address), min(CONNECT_SECONDS, deadline.remaining()))
        except OSError as error:
            failure = error
    raise ConnectionError("no address answers") from failure


def _redirect_location(location: str) -> str:
    """Returns the location of a redirect; servers send UTF-8, which http.client decodes as Latin-1."""
    if not location:
        raise _unusable_url("the address redirects without a location")
    return location.encode("latin-1").decode("utf-8")


def _body(response: http.client.HTTPResponse, host: str, max_bytes: int) -> bytes:
    if response.status != HTTPStatus.OK:
        raise _unusable_url(f"{host} answered {response.status} and not with a picture")
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        cause = f"{host} answered with a compressed body that was not requested"
        raise RequestRefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, cause, "send the picture itself")
    if (response.length or 0) > max_bytes:
        raise too_large_error("the picture", max_bytes)
    body = response.read(max_bytes + 1)
    if len(body) > max_bytes:
        raise too_large_error("the picture", max_bytes)
    if response.length:
        raise ConnectionError("the connection was closed")
    return body


class _LimitedReader(io.RawIOBase):
    """Reads from a connection until the time or the number of bytes is used up."""

    def __init__(self, connection: socket.socket, deadline: Deadline, max_bytes: int) -> None:
        self._connection, self._deadline, self._left = connection, deadline, max_bytes

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Returns the file that http.client reads from."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(self._deadline.remaining())
        count = self._connection.recv_into(buffer)
        self._left -= count
        if self._left < 0:
            raise _unusable_url("the server sends more than a picture")
        return count


def _unusable_url(problem: str) -> RequestRefusedError:
    return RequestRefusedError(
        HTTPStatus.UNPROCESSABLE_ENTITY, f"{problem}", "send another address, or the picture itself"
    )
