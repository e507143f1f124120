"""The rules for URLs that a picture may be fetched from, without network access.

A caller chooses which host this function connects to, and it runs inside an account (SSRF). So a URL is parsed
strictly: what two parsers could read differently is refused, not repaired. The result is a normalized host, and exactly
that host is resolved, checked and connected to.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401 - Python would import it for the first name, during the first request
import ipaddress
import re
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from predicting.errors import RequestRefusedError

PORT = 443
MAX_CHARACTERS = 2048
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_AUTHORITY = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<name>[^\[\]:@]+))(?::(?P<port>[0-9]+))?")
_HOST_NAME = re.compile(r"(?:[a-z0-9_-]{1,63}\.)+[a-z0-9_-]{1,63}")
_MAX_NAME = 253
# With a last label like this, some parsers read the host as a number: 127.1, 0x7f000001.
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_SAFE_CHARACTERS = "/%:@!$&'()*+,;=~?"

# IANA's special-purpose IPv4 networks; not Python's own list, which changes between versions.
_RESERVED_IPV4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # between providers and their customers
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local: credentials of machines and of containers
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocols
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # multicast tunnels
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # measurements between networks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# Of IPv6, only global unicast. This excludes loopback, link-local, unique local and multicast, and all networks
# that embed an IPv4 address: mapped, compatible, and both prefixes of NAT64.
_GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
_RESERVED_IPV6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocols, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)


@dataclass(frozen=True)
class Target:
    """The host and the path of a request."""

    host: str  # in lower-case ASCII, or a normalized IP address
    path: str

    @property
    def ip_address(self) -> IpAddress | None:
        """The host as an IP address, if it is one."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def authority(self) -> str:
        """The host as it appears in a URL."""
        return f"[{self.host}]" if ":" in self.host else self.host


def parse(url: str) -> Target:
    """Parses a URL; raises RequestRefusedError if it is not allowed."""
    if len(url) > MAX_CHARACTERS:
        raise _invalid_url(f"has {len(url)} characters, more than {MAX_CHARACTERS}")
    if not url.isprintable() or " " in url or "\\" in url:
        raise _invalid_url("contains a space, a backslash or an invisible character")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _invalid_url("cannot be read") from None
    if parts.scheme != "https":
        raise _invalid_url("does not begin with https://")
    path = parts.path + ("?" + parts.query if parts.query else "")
    return Target(_host(parts.netloc), quote(path if path.startswith("/") else f"/{path}", safe=_SAFE_CHARACTERS))


def is_public(address: IpAddress) -> bool:
    """Returns whether an address is reachable by everyone."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _RESERVED_IPV4)
    return address in _GLOBAL_IPV6 and not any(address in network for network in _RESERVED_IPV6)


def _host(authority_: str) -> str:
    if "@" in authority_:
        raise _invalid_url("contains a user or a password")
    match = _AUTHORITY.fullmatch(authority_)
    if not match:
        raise _invalid_url("has no valid host")
    if match["port"] not in (None, str(PORT)):
        raise _invalid_url(f"has a port, and only {PORT} is allowed")
    return _normalize_ipv6(match["six"]) if match["six"] else _normalize_name(match["name"])


def _normalize_ipv6(text: str) -> str:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        raise _invalid_url("has no valid host") from None


def _normalize_name(text: str) -> str:
    """Returns a name or an IPv4 address in ASCII, which converts full-width digits and dots of other scripts."""
    try:
        host = text.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError:
        raise _invalid_url("has no valid host") from None
    if _NUMERIC_LABEL.fullmatch(host.rpartition(".")[2]):
        return _normalize_ipv4(host)
    if len(host) > _MAX_NAME or not _HOST_NAME.fullmatch(host):
        raise _invalid_url("has no fully qualified host name")
    return host


def _normalize_ipv4(text: str) -> str:
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise _invalid_url("has no valid host: an IPv4 address is four decimal numbers") from None


def _invalid_url(problem: str) -> RequestRefusedError:
    return RequestRefusedError(
        HTTPStatus.BAD_REQUEST, f"the address {problem}", "send an https:// or s3:// address of a picture"
    )
