"""The way to hosts that are not AWS's: straight, by the user's own proxy if there is one, or none at all."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from pedigree.localaws.proxy.connections import ProxyConnection
from pedigree.localaws.proxy.request_head import HostAndPort, ProxyRequest, ProxyRequestError

_SECONDS = 30.0
_USER_VARIABLES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
_METADATA = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fd00:ec2::/32"))


@dataclass(frozen=True)
class UserProxy:
    """The proxy that the user had before: its place, and the header with its password."""

    target: HostAndPort
    authorization: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> UserProxy | None:
        """The proxy for https in an environment, None if there is none of http."""
        url = urlsplit(next((environ[name] for name in _USER_VARIABLES if environ.get(name)), ""))
        if url.scheme != "http" or not url.hostname:
            return None
        words = f"{unquote(url.username or '')}:{unquote(url.password or '')}"
        credentials = base64.b64encode(words.encode()).decode()
        header = f"Proxy-Authorization: Basic {credentials}\r\n" if url.username else ""
        return cls(HostAndPort(url.hostname, url.port or 80), header)


@dataclass(frozen=True)
class Upstream:
    """Opens connections to hosts that are not AWS's; offline it refuses them."""

    is_offline: bool = False
    user_proxy: UserProxy | None = None

    async def open(self, request: ProxyRequest) -> ProxyConnection:
        """A connection to the target of a request; ProxyRequestError says in a line why there is none."""
        target = request.target
        if self.is_offline and not _is_loopback(target.host):
            raise ProxyRequestError(f"the local AWS is offline, and {target.host} is not AWS's")
        if self.user_proxy is None or _is_loopback(target.host):
            return await self._straight(target)
        stream = await self._straight(self.user_proxy.target)
        await _tunnel(stream, target, self.user_proxy.authorization)
        return stream

    async def _straight(self, target: HostAndPort) -> ProxyConnection:
        try:
            stream = await asyncio.wait_for(connect(target), _SECONDS)
        except (OSError, asyncio.TimeoutError) as error:
            raise ProxyRequestError(f"{target.authority} cannot be reached: {_reason(error)}") from None
        address = ipaddress.ip_address(stream.writer.get_extra_info("peername")[0].partition("%")[0])
        if any(address in network for network in _METADATA if network.version == address.version):
            await stream.close()
            raise ProxyRequestError(
                f"{target.host} has the credentials of a real account, and is not reached from here"
            )
        return stream


async def connect(target: HostAndPort) -> ProxyConnection:
    """A connection to a host."""
    return ProxyConnection(*await asyncio.open_connection(target.host, target.port))


async def _tunnel(stream: ProxyConnection, target: HostAndPort, authorization: str) -> None:
    """Ask another proxy for a tunnel."""
    stream.writer.write(
        f"CONNECT {target.authority} HTTP/1.1\r\nHost: {target.authority}\r\n{authorization}\r\n".encode("latin-1")
    )
    try:
        answer = await asyncio.wait_for(stream.reader.readuntil(b"\r\n\r\n"), _SECONDS)
    except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        answer = b""
    line = answer.partition(b"\r\n")[0].decode("latin-1")
    if line.partition(" ")[2][:1] != "2":
        await stream.close()
        raise ProxyRequestError(f"the proxy of this machine refuses {target.authority}: {line or 'no answer'}")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or "no answer"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
