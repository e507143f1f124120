"""No address leads the function to a private place: not by how it is written, not by its name, not by a redirect.

The servers are real. One stands for the public host, one for everything private; a third look, Python's own audit of
what sockets connect to, sees the connector that is deployed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

import predict
from predict import PredictFunction, PredictRequest, respond
from predicting import s3_fetch, web_fetch
from predicting.endpoint import EndpointClient
from tests.support.claimed_pictures import png
from tests.support.loopback import Server, http, redirect, serving

PUBLIC = "93.184.216.34"
PICTURE = png(8, 8)
NAMES: dict[str, Sequence[str]] = {
    "pictures.example": (PUBLIC,),
    "localhost.example": ("127.0.0.1", "::1"),
    "private.example": ("10.0.0.5",),
    "also-private.example": (PUBLIC, "192.168.1.1"),
    "private-first.example": ("172.31.255.254", PUBLIC),
    "metadata.google.internal": ("169.254.169.254",),
    "instance-data.ec2.internal": ("169.254.169.254",),
    "containers.example": ("169.254.170.2",),
    "127.0.0.1.wildcard.example": ("127.0.0.1",),
    "metadata-six.example": ("fd00:ec2::254",),
    "loopback-six.example": ("::1",),
    "mapped.example": ("::ffff:127.0.0.1",),
    "compatible.example": ("::127.0.0.1",),
    "nat64.example": ("64:ff9b::a9fe:a9fe",),
    "nat64-local.example": ("64:ff9b:1::a9fe:a9fe",),
    "sixtofour.example": ("2002:7f00:1::",),
    "teredo.example": ("2001:0:7f00:1::1",),
    "link-local.example": ("fe80::1%eth0",),
    "site-local.example": ("fec0::1",),
    "multicast.example": ("224.0.0.1", "ff02::1"),
    "broadcast.example": ("255.255.255.255",),
    "this-network.example": ("0.0.0.0",),
    "carrier.example": ("100.64.0.1",),
    "benchmark.example": ("198.18.0.1",),
    "xn--local-ger.example": ("127.0.0.1",),
}
HOSTILE = (
    # Schemes
    *("http://pictures.example/", "file:///etc/passwd", "ftp://pictures.example/", "gopher://127.0.0.1:6379/_INFO"),
    *("data:image/png;base64,iVBORw0KGgo=", "dict://127.0.0.1:11211/", "ldap://127.0.0.1/", "jar:https://127.0.0.1!/"),
    *("//127.0.0.1/", "127.0.0.1", "", "https:", "https:127.0.0.1", "https:/127.0.0.1", "https://", "https:///etc"),
    # IPv4 as it is, and in the notations of other readers
    *("https://127.0.0.1/", "https://0.0.0.0/", "https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.0.1/"),
    *("https://169.254.169.254/latest/meta-data/", "https://169.254.170.2/v2/credentials", "https://100.64.0.1/"),
    *("https://2130706433/", "https://0x7f000001/", "https://017700000001/", "https://0x7f.0x0.0x0.0x1/"),
    *("https://0177.0.0.1/", "https://0177.0.0.01/", "https://127.1/", "https://127.0.1/", "https://0/", "https://0x/"),
    *("https://10.1/", "https://127.0.0.1./", "https://127.0.0.1../", "https://127.0.0.0x1/", "https://1.2.3.4.5/"),
    *("https://256.256.256.256/", "https://4294967296/", "https://00000177.0.0.1/", "https://127.0.0.1%00.example/"),
    *("https://２１３０７０６４３３/", "https://①②⑦.⓪.⓪.①/", "https://127。0。0。1/", "https://１２７．１/"),
    *("https://127.0.0.1\u3002/", "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", "https://127\u00ad.0.0.1/", "https://%31%32%37.0.0.1/"),
    # IPv6, and IPv4 inside of it
    *("https://[::1]/", "https://[::]/", "https://[0:0:0:0:0:0:0:1]/", "https://[::ffff:127.0.0.1]/", "https://::1/"),
    *("https://[::ffff:7f00:1]/", "https://[::127.0.0.1]/", "https://[64:ff9b::127.0.0.1]/", "https://[fe80::1]/"),
    *(
        "https://[64:ff9b:1::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[2001::7f00:1]/",
        "https://[fd00:ec2::254]/",
    ),
    *("https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[::1%25lo]/", "https://[ff02::1]/"),
    *("https://[fec0::1]/", "https://[2001:db8::1]/", "https://[::ffff:0:127.0.0.1]/", "https://[v1.localhost]/"),
    *("https://[::1]@pictures.example/", "https://[::1/", "https://[127.0.0.1]/", "https://[::1].pictures.example/"),
    # Users, ports, and what readers understand differently
    *("https://user@pictures.example/", "https://user:secret@pictures.example/", "https://@pictures.example/"),
    *("https://pictures.example@127.0.0.1/", "https://127.0.0.1@pictures.example/", "https://a%40b@pictures.example/"),
    *("https://pictures.example:22/", "https://pictures.example:80/", "https://pictures.example:8443/"),
    *("https://pictures.example:0443/", "https://pictures.example:/", "https://pictures.example:-1/"),
    *("https://pictures.example:４４３/", "https://pictures.example:65979/", "https://pictures.example:443:22/"),
    *("https://pictures.example\\@127.0.0.1/", "https://127.0.0.1\\.pictures.example/", "https:\\\\127.0.0.1/"),
    *("https://pictures.example\t/", "https://pictures.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", " https://a.b/"),
    *("https://pictures.example/\ud800", "https://\ud800.example/", "https://pictures.example/\x7f"),
    *("https://pictures.example\r\n.127.0.0.1/", "https://pictures.example\0.127.0.0.1/", "https://pict ures.example/"),
    *("https://localhost/", "https://metadata/", "https://pictures/", "https://.example/", "https://a..example/"),
    *(f"https://{'a' * 64}.example/", f"https://{'a.' * 127}example/", f"https://pictures.example/{'a' * 2048}"),
    *("https://pictures.example‮/", "https://℀.example/", "https://pictures.example;127.0.0.1/", "https://*.example/"),
    # Names that mean a private place, or nothing
    *(f"https://{name}/" for name in NAMES if name != "pictures.example"),
    *("https://unknown.example/", "https://Private.EXAMPLE./", "https://ⓟrivate.example/"),
)
# Where a redirect may not lead, besides all of these.
LEADING = ("s3://bucket/key", "S3://bucket/key", "//private.example/", "https://pictures.example/again", "/again")


@dataclass
class Internet:
    """Two hosts, one public and one not; records which names were looked up and which addresses were connected to."""

    public: Server
    private: Server
    names: dict[str, Sequence[str]] = field(default_factory=lambda: dict(NAMES))
    looked_up: list[str] = field(default_factory=list)
    reached: list[str] = field(default_factory=list)

    def network(self) -> web_fetch.Network:
        def resolve(host: str) -> Sequence[str]:
            self.looked_up.append(host)
            return self.names.get(host, ())

        def connect(address: str, seconds: float) -> object:
            self.reached.append(address)
            return (self.public if address == PUBLIC else self.private).connect()

        return web_fetch.Network(resolve, connect, secure=lambda connection, *_: connection)  # type: ignore[arg-type]


class NoRuntime:
    def invoke(self, endpoint: str, body: bytes, content_type: str) -> bytes:
        return json.dumps({"logits": [[1.0]], "predictions": [[{"label": "dog", "probability": 1.0}]]}).encode()


class NoBucket:
    def get_object(self, **request: str) -> dict[str, object]:
        raise AssertionError(f"{request} was read")


def status(url: str, network: web_fetch.Network) -> int:
    """What the whole function answers to an address."""

    def from_web(url: str) -> bytes:
        return web_fetch.fetch(url, predict.MAX_BYTES, 5, network)

    def from_bucket(url: str) -> bytes:
        return s3_fetch.fetch(url, predict.MAX_BYTES, 5, NoBucket())

    function = PredictFunction(
        EndpointClient("dogs", NoRuntime()), {"https": from_web, "s3": from_bucket}, write=lambda line: None
    )
    return int(respond(PredictRequest({"url": url}), function)["statusCode"])


@pytest.fixture
def internet() -> Iterator[Callable[[Callable[[str], bytes]], Internet]]:
    """Two servers of which the public one answers with one piece."""
    answers: list[Callable[[str], bytes]] = []
    with (
        serving(lambda request: [answers[0](request)]) as public,
        serving(lambda _: [http(PICTURE)]) as private,
    ):

        def made(answer: Callable[[str], bytes]) -> Internet:
            answers.append(answer)
            return Internet(public, private)

        yield made


Made = Callable[[Callable[[str], bytes]], Internet]
CONNECTED: list[object] = []


@pytest.fixture(scope="module", autouse=True)
def audited() -> None:
    sys.addaudithook(lambda event, arguments: CONNECTED.append(arguments[1]) if event == "socket.connect" else None)


def test_a_public_picture_is_fetched_from_the_address_that_was_checked(internet: Made) -> None:
    there = internet(lambda _: http(PICTURE))
    assert status("https://pictures.example/dog.png", there.network()) == 200
    assert there.reached == [PUBLIC]
    assert there.public.requests[0].startswith("GET /dog.png HTTP/1.1\r\nHost: pictures.example\r\n")


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_address_is_refused_and_connects_to_nothing(url: str) -> None:
    """With the connector that is deployed: what it would connect to, Python sees."""
    CONNECTED.clear()
    assert 400 <= status(url, web_fetch.Network(resolve=lambda host: NAMES.get(host, ()))) < 500
    assert not CONNECTED


@pytest.mark.parametrize("location", [*HOSTILE, *LEADING])
def test_a_hostile_redirect_is_refused_and_not_followed(location: str, internet: Made) -> None:
    there = internet(lambda _: redirect(location.replace("\r\n", " ").replace("\ud800", " ")))
    assert 400 <= status("https://pictures.example/", there.network()) < 500
    assert set(there.reached) == {PUBLIC}
    assert there.private.connections == 0


@pytest.mark.parametrize("code", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_within_the_public_is_followed(code: str, internet: Made) -> None:
    def answer(request: str) -> bytes:
        return http(PICTURE) if "/there" in request else redirect("there?a=1", code)

    there = internet(answer)
    assert status("https://pictures.example/here", there.network()) == 200
    assert there.public.connections == 2


def test_a_chain_of_redirects_has_an_end(internet: Made) -> None:
    there = internet(lambda request: redirect(f"/{len(request)}x"))
    assert status("https://pictures.example/", there.network()) == 422
    assert there.public.connections == 1 + web_fetch.MAX_REDIRECTS


def test_a_name_is_looked_up_once_for_a_connection(internet: Made) -> None:
    """A second look would find another host: between the check and the connection there is none."""
    there = internet(lambda _: http(PICTURE))
    answers = iter([[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]])
    rebinding = web_fetch.Network(
        lambda _: next(answers), there.network().connect, secure=lambda connection, *_: connection
    )
    assert status("https://pictures.example/", rebinding) == 200
    assert there.reached == [PUBLIC]
    assert there.private.connections == 0


def test_a_name_that_is_private_at_its_second_look_is_not_connected_to(internet: Made) -> None:
    there = internet(lambda _: redirect("https://pictures.example/again"))
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    rebinding = web_fetch.Network(
        lambda _: next(answers), there.network().connect, secure=lambda connection, *_: connection
    )
    assert status("https://pictures.example/", rebinding) == 403
    assert there.reached == [PUBLIC]
    assert there.private.connections == 0


def test_the_test_would_see_a_connection_to_a_private_place(internet: Made) -> None:
    there = internet(lambda _: http(PICTURE))
    CONNECTED.clear()
    there.network().connect("10.0.0.5", 1).close()
    assert there.reached == ["10.0.0.5"]
    assert [("127.0.0.1", there.private.port)] == CONNECTED
