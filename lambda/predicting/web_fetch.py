"""A picture from the web, fetched so that neither its address nor its server leads anywhere else.

A name is resolved once; every address that it has must be public, and one of these very addresses is connected to, so
that a name which means something else a moment later changes nothing. The same holds for every redirect. Time and
bytes are counted where they come in, below HTTP, so that headers, chunks and pauses count too.
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

from predicting.url_guard import PORT, IpAddress, Target, is_public, parse
from predicting.deadline import Deadline
from predicting.errors import Refused, too_large

MOST_REDIRECTS = 5
MOST_ADDRESSES = 4
CONNECT_SECONDS = 3.0
_MOST_AROUND = 256 * 1024  # headers, and what chunks add to a body
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_HEADERS = (
    "User-Agent: pedigree",
    "Accept: image/jpeg, image/png, image/webp",
    "Accept-Encoding: identity",
    "Connection: close",
)


def resolved(host: str) -> list[str]:
    """The addresses of a name; none where it has none."""
    try:
        found = socket.getaddrinfo(host, PORT, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def connected(address: str, seconds: float, port: int = PORT) -> socket.socket:
    """A connection to an address, which is a number: nothing is looked up."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.connect((address, port))
    except BaseException:
        connection.close()
        raise
    return connection


def secured(connection: socket.socket, host: str, seconds: float, trust: ssl.SSLContext | None = None) -> socket.socket:
    """The connection, encrypted, to the host that the certificate is for."""
    connection.settimeout(seconds)
    return (trust or trusted()).wrap_socket(connection, server_hostname=host)


@cache
def trusted() -> ssl.SSLContext:
    """Whose certificates are trusted: those that the system trusts, read once."""
    return ssl.create_default_context()


@dataclass(frozen=True)
class Network:
    """How names become addresses, and addresses connections."""

    resolve: Callable[[str], Sequence[str]] = resolved
    connect: Callable[[str, float], socket.socket] = connected
    secure: Callable[[socket.socket, str, float], socket.socket] = secured
    clock: Callable[[], float] = time.monotonic


def fetch(url: str, most_bytes: int, seconds: float, network: Network | None = None) -> bytes:
    """The bytes behind an address."""
    reach, host = network or Network(), ""
    deadline = Deadline(seconds, reach.clock)
    try:
        for _ in range(1 + MOST_REDIRECTS):
            target = parse(url)
            host = target.host
            answer = _asked(target, most_bytes, deadline, reach)
            if isinstance(answer, bytes):
                return answer
            url = urljoin(url, answer)
    except TimeoutError as error:
        raise deadline.over() from error
    except ssl.SSLCertVerificationError as error:
        raise _unusable(f"{host} has no certificate that can be trusted") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _unusable(f"{host} cannot be reached, or broke off") from error
    raise _unusable(f"the address redirects more than {MOST_REDIRECTS} times")


def _asked(target: Target, most_bytes: int, deadline: Deadline, network: Network) -> bytes | str:
    """What a target answers: the bytes, or where else to look."""
    addresses = _addresses(target, deadline, network)
    with (
        _connection(addresses, deadline, network) as plain,
        network.secure(plain, target.host, deadline.left()) as connection,
    ):
        lines = (f"GET {target.path} HTTP/1.1", f"Host: {target.authority}", *_HEADERS, "", "")
        connection.settimeout(deadline.left())
        connection.sendall("\r\n".join(lines).encode("ascii"))
        bounded = _Bounded(connection, deadline, most_bytes + _MOST_AROUND)
        # It only ever asks a socket for a file to read from.
        response = http.client.HTTPResponse(cast(socket.socket, bounded), method="GET")
        response.begin()
        if response.status in _REDIRECTS:
            return _text(response.headers.get("Location", ""))
        return _body(response, target.host, most_bytes)


def _addresses(target: Target, deadline: Deadline, network: Network) -> Sequence[IpAddress]:
    """The addresses of a target: all of them public, or none is used."""
    literal = target.literal
    if literal:
        addresses = [literal]
    else:
        addresses = [ipaddress.ip_address(text) for text in _in_time(network.resolve, target.host, deadline)]
    if not addresses or not all(is_public(address) for address in addresses):
        # One message for both: whether a private name exists is nobody's business.
        raise Refused(HTTPStatus.FORBIDDEN, f"{target.host} has no public address; send one that anybody can reach")
    return addresses[:MOST_ADDRESSES]


def _in_time(resolve: Callable[[str], Sequence[str]], host: str, deadline: Deadline) -> Sequence[str]:
    """What a resolver finds: it knows no time-out of its own, and may be made to wait by whoever owns the name."""
    answers: SimpleQueue[Sequence[str]] = SimpleQueue()
    Thread(target=lambda: answers.put(resolve(host)), daemon=True).start()
    try:
        return answers.get(timeout=deadline.left())
    except Empty:
        raise deadline.over() from None


def _connection(addresses: Sequence[IpAddress], deadline: Deadline, network: Network) -> socket.socket:
    failure: OSError | None = None
    for address in addresses:
        try:
            return network.connect(str(address), min(CONNECT_SECONDS, deadline.left()))
        except OSError as error:
            failure = error
    raise ConnectionError("no address answers") from failure


def _text(location: str) -> str:
    """Where a redirect leads; servers write UTF-8, and http.client reads it as if it were Latin-1."""
    if not location:
        raise _unusable("the address redirects to nowhere")
    return location.encode("latin-1").decode("utf-8")


def _body(response: http.client.HTTPResponse, host: str, most_bytes: int) -> bytes:
    if response.status != HTTPStatus.OK:
        raise _unusable(f"{host} answered {response.status}, and no picture")
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        message = f"{host} answered with a compressed body that was not asked for; send the picture itself"
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message)
    if (response.length or 0) > most_bytes:
        raise too_large("the picture", most_bytes)
    body = response.read(most_bytes + 1)
    if len(body) > most_bytes:
        raise too_large("the picture", most_bytes)
    if response.length:
        raise ConnectionError("it broke off")
    return body


class _Bounded(io.RawIOBase):
    """What comes in on a connection, until there is no time left or more than anybody wanted."""

    def __init__(self, connection: socket.socket, deadline: Deadline, most_bytes: int) -> None:
        self._connection, self._deadline, self._left = connection, deadline, most_bytes

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What HTTP reads from."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes, however few they are."""
        self._connection.settimeout(self._deadline.left())
        count = self._connection.recv_into(buffer)
        self._left -= count
        if self._left < 0:
            raise _unusable("the server sends more around the picture than a picture has")
        return count


def _unusable(what: str) -> Refused:
    return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"{what}; send another address, or the picture itself")
