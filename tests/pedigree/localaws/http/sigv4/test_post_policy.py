"""The policies of forms: until when they hold, what they allow, and what is refused in AWS's words."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.localaws.http.protocol.s3_errors import S3Error
from pedigree.localaws.http.sigv4.post_policy import SizeRange, parse

NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.timezone.utc).timestamp()
LATER, BEFORE = "2026-03-01T12:00:01Z", "2026-03-01T11:59:59.999Z"
NAMES = st.from_regex(r"[a-z][a-z-]{0,12}", fullmatch=True).filter(
    lambda name: name not in ("file", "policy", "signature", "content-type") and not name.startswith("x-ignore-")
)
FIELDS = st.dictionaries(NAMES, st.text(min_size=1, max_size=20), min_size=1, max_size=6)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def policy(*conditions: Any, expiration: Any = LATER) -> str:
    return encoded(json.dumps({"expiration": expiration, "conditions": list(conditions)}))


def another(value: str) -> str:
    """A value that does not begin as another."""
    return f"{'b' if value.startswith('a') else 'a'}{value}"


def refusal(policy: str, fields: dict[str, str], now: float = NOW) -> tuple[str, str]:
    with pytest.raises(S3Error) as refused:
        parse(policy).check(fields, now)
    return refused.value.code, refused.value.message


@given(fields=FIELDS, data=st.data())
def test_a_form_is_what_its_policy_says_and_nothing_else(fields: dict[str, str], data: st.DataObject) -> None:
    """Each field has a condition in one of three ways; whatever is changed, added or taken away is refused."""
    conditions = [
        data.draw(
            st.sampled_from([{name: value}, ["eq", f"${name.upper()}", value], ["starts-with", f"${name}", value]])
        )
        for name, value in fields.items()
    ]
    signed = policy(*conditions)
    assert parse(signed).check(fields, NOW) == SizeRange()
    changed = data.draw(st.sampled_from(sorted(fields)))
    for other in (
        {**fields, changed: another(fields[changed])},
        {name: fields[name] for name in fields if name != changed},
    ):
        assert refusal(signed, other)[1].startswith("Invalid according to Policy: Policy Condition failed: [")
    added = data.draw(NAMES.filter(lambda name: name not in fields))
    assert refusal(signed, {**fields, added: ""})[1] == f"Invalid according to Policy: Extra input fields: {added}"


@given(least=st.integers(0, 10**9), length=st.integers(0, 10**9), size=st.integers(0, 10**9))
def test_a_range_of_sizes_has_both_its_ends(least: int, length: int, size: int) -> None:
    sizes = parse(policy(["content-length-range", least, str(least + length)])).check({}, NOW)
    assert sizes == SizeRange(least, least + length)
    is_allowed = least <= size <= least + length
    try:
        sizes.check(size, is_whole=True)
    except S3Error as error:
        assert (is_allowed, error.code) == (False, "EntityTooSmall" if size < least else "EntityTooLarge")  # noqa: PT017
    else:
        assert is_allowed


def test_of_several_ranges_the_narrowest_holds() -> None:
    ranges = (["content-length-range", 1, 10], ["Content-Length-Range", 0, 5], ["content-length-range", 3, 8])
    assert parse(policy(*ranges)).check({}, NOW) == SizeRange(3, 5)


def test_fields_that_are_the_signature_or_to_be_ignored_need_no_condition() -> None:
    fields = {"policy": "", "x-amz-signature": "", "signature": "", "awsaccesskeyid": "", "file": "", "x-ignore-me": ""}
    parse(policy()).check(fields, NOW)


def test_each_of_several_content_types_must_begin_so() -> None:
    signed = policy(["starts-with", "$Content-Type", "image/"])
    parse(signed).check({"content-type": "image/png,image/jpeg"}, NOW)
    assert refusal(signed, {"content-type": "image/png,text/html"})[0] == "AccessDenied"


def test_words_are_awss() -> None:
    equal = ["eq", "$success_action_redirect", "http://localhost.test/random"]
    words = 'Invalid according to Policy: Policy Condition failed: ["eq", "$success_action_redirect", '
    for fields in ({}, {"success_action_redirect": "HTTP://localhost.test/random"}):
        assert refusal(policy(equal), fields) == ("AccessDenied", f'{words}"http://localhost.test/random"]')
    assert refusal(policy({"key": "a"}), {"key": "b"})[1].endswith('failed: ["eq", "$key", "a"]')
    without_dollar = ["eq", "key", "a"]
    assert refusal(policy(without_dollar), {"key": "a"})[1].endswith('failed: ["eq", "key", "a"]')
    sizes = ["content-length-range", "test", "10"]
    assert refusal(policy(sizes), {})[1].endswith('failed: ["content-length-range", "test", "10"]')


@pytest.mark.parametrize("expiration", [BEFORE, "2026-03-01T12:59:00+01:00", "2020-01-01T00:00:00.123456789Z"])
def test_a_policy_ends(expiration: str) -> None:
    expired = ("AccessDenied", "Invalid according to Policy: Policy expired.")
    assert refusal(policy(expiration=expiration), {}) == expired


def test_dollar_signs_may_be_escaped() -> None:
    condition = r'["eq", "$key", "\$a\v\\$\n\u00fc"]'
    parse(encoded(f'{{"expiration": "{LATER}", "conditions": [{condition}]}}')).check({"key": "$a\v\\$\nü"}, NOW)


SIMPLE = "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("%", "Invalid JSON."),
        (base64.b64encode(b"\xff").decode(), "Invalid JSON."),
        (encoded("[]"), "Invalid JSON."),
        (encoded("[" * 100_000), "Invalid JSON."),
        (encoded('{"conditions": []}'), "Policy missing expiration."),
        (encoded(f'{{"expiration": "{LATER}"}}'), "Policy missing conditions."),
        (encoded(f'{{"expiration": "{LATER}", "CONDITIONS": []}}'), "Unexpected: 'CONDITIONS'"),
        (encoded(f'{{"expiration": "{LATER}", "conditions": 1}}'), "Invalid 'conditions' value: must be a List."),
        (policy(expiration="tomorrow"), "Invalid 'expiration' value: 'tomorrow'"),
        (policy(expiration=1), "Invalid 'expiration' value: '1'"),
        (policy(expiration="2026-13-01T00:00:00Z"), "Invalid 'expiration' value: '2026-13-01T00:00:00Z'"),
        (policy({}), SIMPLE),
        (policy({"bucket": "a", "key": "b"}), SIMPLE),
        (policy({"bucket": 1}), "Invalid Simple-Condition: value must be a string."),
        (policy(["eq", "$key"]), "Invalid Condition: must be a List of an operator and two values."),
        (policy("key"), "Invalid Condition: must be a List of an operator and two values."),
        (policy(["ends-with", "$key", "a"]), "Invalid Condition: unknown operation 'ends-with'."),
    ],
)
def test_a_policy_that_cannot_be_read_is_refused(policy: str, words: str) -> None:
    assert refusal(policy, {}) == ("InvalidPolicyDocument", f"Invalid Policy: {words}")
