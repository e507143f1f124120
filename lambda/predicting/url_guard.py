"""Which addresses on the web may be asked for a picture: the rules, without a network.

Whoever sends an address chooses what this function connects to, and it stands inside an account. So an address is read
strictly: what two readers could understand differently is refused, not repaired. What is left is a host in one
spelling, and that very host is resolved, checked and connected to.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401 - Python would import it for the first name, while somebody waits
import ipaddress
import re
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from predicting.errors import Refused

PORT = 443
MOST_CHARACTERS = 2048
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_PLACE = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<name>[^\[\]:@]+))(?::(?P<port>[0-9]+))?")
_NAME = re.compile(r"(?:[a-z0-9_-]{1,63}\.)+[a-z0-9_-]{1,63}")
_MOST_NAME = 253
# A last label of this kind makes a host a number to one reader or another, in whatever notation: 127.1, 0x7f000001.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_KEPT = "/%:@!$&'()*+,;=~?"

# What IANA has set apart of IPv4; not Python's own list, as that changes from version to version.
_SET_APART_4 = tuple(
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
# Of IPv6, only what is given out to networks. That leaves out loopback, link-local, unique local, multicast, and all
# that carries an IPv4 address into a place of its own: mapped, compatible, NAT64 with both of its prefixes.
_GIVEN_OUT_6 = ipaddress.IPv6Network("2000::/3")
_SET_APART_6 = tuple(
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
    """What to ask whom for."""

    host: str  # in small ASCII letters, or the one spelling of an IP address
    path: str

    @property
    def literal(self) -> IpAddress | None:
        """The host itself, where it is an IP address."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def authority(self) -> str:
        """The host as it stands in an address."""
        return f"[{self.host}]" if ":" in self.host else self.host


def parse(url: str) -> Target:
    """The target of an address; Refused says what is wrong with it."""
    if len(url) > MOST_CHARACTERS:
        raise _refusal(f"has {len(url)} characters, more than {MOST_CHARACTERS}")
    if not url.isprintable() or " " in url or "\\" in url:
        raise _refusal("has a space, a backslash or a character that cannot be seen in it")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _refusal("cannot be read") from None
    if parts.scheme != "https":
        raise _refusal("does not begin with https://")
    path = parts.path + ("?" + parts.query if parts.query else "")
    return Target(_host(parts.netloc), quote(path if path.startswith("/") else f"/{path}", safe=_KEPT))


def is_public(address: IpAddress) -> bool:
    """Whether an address belongs to a host that anybody could reach."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _SET_APART_4)
    return address in _GIVEN_OUT_6 and not any(address in network for network in _SET_APART_6)


def _host(place: str) -> str:
    if "@" in place:
        raise _refusal("has a user or a password in it")
    found = _PLACE.fullmatch(place)
    if not found:
        raise _refusal("names no host")
    if found["port"] not in (None, str(PORT)):
        raise _refusal(f"names a port, and only {PORT} is asked")
    return _ipv6(found["six"]) if found["six"] else _name(found["name"])


def _ipv6(text: str) -> str:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        raise _refusal("names no host") from None


def _name(text: str) -> str:
    """A name or an IPv4 address in ASCII: full-width digits, circled ones and the dots of other scripts are gone."""
    try:
        host = text.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError:
        raise _refusal("names no host") from None
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        return _ipv4(host)
    if len(host) > _MOST_NAME or not _NAME.fullmatch(host):
        raise _refusal("names no host with a full name")
    return host


def _ipv4(text: str) -> str:
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise _refusal("names no host: an IP address is four plain numbers") from None


def _refusal(fault: str) -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, f"the address {fault}; send an https:// or s3:// address of a picture")
