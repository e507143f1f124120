"""URLs are parsed strictly, normalized, and public or not."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from predicting.errors import RequestRefusedError
from predicting.url_guard import Target, is_public, parse

READ = {
    "https://pictures.example/dog.jpg": Target("pictures.example", "/dog.jpg"),
    "HTTPS://Pictures.Example.:443": Target("pictures.example", "/"),
    "https://pictures.example?a=1&b=%2F": Target("pictures.example", "/?a=1&b=%2F"),
    "https://pictures.example/dög's.jpg#part": Target("pictures.example", "/d%C3%B6g's.jpg"),
    "https://bücher.example/": Target("xn--bcher-kva.example", "/"),
    "https://my_bucket.s3.amazonaws.com/a?X-Amz-Signature=0": Target(
        "my_bucket.s3.amazonaws.com", "/a?X-Amz-Signature=0"
    ),
    "https://93.184.216.34/": Target("93.184.216.34", "/"),
    "https://９３.184。216.34/": Target("93.184.216.34", "/"),
    "https://[2606:2800:0220:0001::5db8:d822]/": Target("2606:2800:220:1::5db8:d822", "/"),
}


@pytest.mark.parametrize(("url", "target"), list(READ.items()))
def test_an_address_has_one_reading(url: str, target: Target) -> None:
    assert parse(url) == target


def test_a_host_stands_in_an_address_as_it_must() -> None:
    assert parse("https://[2606:2800::1]/").authority == "[2606:2800::1]"
    assert parse("https://pictures.example/").authority == "pictures.example"


@given(st.text(max_size=60))
@example("https://[::ffff:1.2.3.4%25eth0]/")
@example("https://\u2488.example/")
@example("https://a.\udc80/")
def test_any_text_is_parsed_to_a_normalized_url_or_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://pictures.example/{text}"):
        try:
            target = parse(url)
        except RequestRefusedError:
            continue
        assert (target.host + target.path).isascii()
        assert target.path.isprintable()
        assert " " not in target.path
        assert parse(f"https://{target.authority}{target.path}") == target


@given(st.ip_addresses())
@example(ipaddress.ip_address("224.0.0.1"))
@example(ipaddress.ip_address("ff02::1"))
@example(ipaddress.ip_address("::ffff:8.8.8.8"))
@example(ipaddress.ip_address("64:ff9b::808:808"))
@example(ipaddress.ip_address("192.88.99.1"))
@example(ipaddress.ip_address("fec0::1"))
def test_an_address_that_python_does_not_call_global_is_not_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    special = (address.is_multicast, address.is_reserved, address.is_link_local, address.is_unspecified)
    if not address.is_global or any(special):
        assert not is_public(address)


@given(st.ip_addresses(v=4))
def test_no_way_of_carrying_an_ipv4_address_in_an_ipv6_address_is_public(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for prefix, shift in (
        ("::", 0),
        ("::ffff:0:0", 0),
        ("::ffff:0:0:0", 0),
        ("64:ff9b::", 0),
        ("64:ff9b:1::", 0),
        ("64:ff9b:1::", 48),
        ("2002::", 80),
        ("2001::", 64),
        ("2001::", 0),
        ("fe80::5efe:0:0", 0),
    ):
        assert not is_public(ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | number << shift))


@pytest.mark.parametrize(
    "text", ["1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"]
)
def test_hosts_that_anybody_can_reach_are_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))
