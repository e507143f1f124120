"""Event patterns and what targets get, by the examples of their documentation and by rule."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.localaws.services.events import patterns, target_input

EVENT = {
    "source": "aws.sagemaker",
    "detail": {
        "status": "InService",
        "size": 5,
        "none": None,
        "is_on": True,
        "address": "10.0.1.7",
        "names": ["a", "bc"],
        "parts": [{"kind": "x", "n": 1}, {"kind": "y", "n": 2}],
    },
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"source": ["aws.sagemaker"]}, True),
        ({"source": ["aws.s3", "aws.sagemaker"]}, True),
        ({"source": ["aws.s3"]}, False),
        ({"never": ["x"]}, False),
        ({"source": [{"prefix": "aws."}]}, True),
        ({"source": [{"prefix": {"equals-ignore-case": "AWS."}}]}, True),
        ({"source": [{"suffix": "maker"}]}, True),
        ({"source": [{"equals-ignore-case": "AWS.SageMaker"}]}, True),
        ({"source": [{"wildcard": "aws.*mak*"}]}, True),
        ({"source": [{"wildcard": "*.s3"}]}, False),
        ({"source": [{"anything-but": "aws.s3"}]}, True),
        ({"source": [{"anything-but": ["aws.s3", "aws.sagemaker"]}]}, False),
        ({"source": [{"anything-but": {"prefix": "aws."}}]}, False),
        ({"source": [{"anything-but": {"suffix": ".s3"}}]}, True),
        ({"detail": {"size": [5]}}, True),
        ({"detail": {"size": ["5"]}}, False),
        ({"detail": {"size": [{"numeric": [">", 0, "<=", 5]}]}}, True),
        ({"detail": {"size": [{"numeric": ["<", 5]}]}}, False),
        ({"detail": {"status": [{"numeric": [">", 0]}]}}, False),
        ({"detail": {"none": [None]}}, True),
        ({"detail": {"is_on": [True]}}, True),
        ({"detail": {"is_on": [1]}}, False),
        ({"detail": {"status": [{"exists": True}], "gone": [{"exists": False}]}}, True),
        ({"detail": {"status": [{"exists": False}]}}, False),
        ({"detail": {"address": [{"cidr": "10.0.0.0/16"}]}}, True),
        ({"detail": {"address": [{"cidr": "10.1.0.0/16"}]}}, False),
        ({"detail": {"names": ["bc", "d"]}}, True),
        ({"detail": {"names": [{"prefix": "b"}]}}, True),
        ({"detail": {"parts": {"kind": ["y"], "n": [2]}}}, True),
        ({"detail": {"parts": {"kind": ["x"], "n": [2]}}}, False),
        ({"$or": [{"source": ["aws.s3"]}, {"detail": {"size": [5]}}]}, True),
        ({"$or": [{"source": ["aws.s3"]}, {"detail": {"size": [6]}}]}, False),
        ({}, True),
    ],
)
def test_a_pattern_matches_or_not(pattern: dict[str, Any], expected: bool) -> None:
    assert patterns.matches(patterns.checked(json.dumps(pattern)), EVENT) is expected


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"a": "text"}',
        '{"a": []}',
        '{"a": [["nested"]]}',
        '{"a": [{"near": 1}]}',
        '{"a": [{"prefix": "x", "suffix": "y"}]}',
        '{"a": [{"numeric": [">"]}]}',
        '{"a": [{"numeric": ["?", 1]}]}',
        '{"a": [{"numeric": [">", "1"]}]}',
        '{"a": [{"prefix": 1}]}',
        '{"a": [{"cidr": "x"}]}',
        '{"a": [{"exists": 1}]}',
        '{"a": [{}]}',
    ],
)
def test_what_is_no_pattern_says_why(text: str) -> None:
    with pytest.raises(ValueError, match=r"Event pattern is not valid\. Reason: "):
        patterns.checked(text)


leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
json_values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


@given(json_values, json_values)
def test_a_checked_pattern_is_never_at_a_loss(pattern: Any, event: Any) -> None:
    try:
        checked = patterns.checked(json.dumps(pattern))
    except ValueError:
        return
    assert patterns.matches(checked, event) in (True, False)


@given(st.dictionaries(st.text(min_size=1, max_size=3).filter(lambda key: key != "$or"), leaves, max_size=4))
def test_an_event_matches_itself_as_a_pattern(event: dict[str, Any]) -> None:
    assert patterns.matches({key: [value] for key, value in event.items()}, event)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"Input": '{"a": 1}'}, '{"a": 1}'),
        ({"InputPath": "$.detail.status"}, '"InService"'),
        ({"InputPath": "$.detail.parts[1].n"}, "2"),
        ({"InputPath": "$['source']"}, '"aws.sagemaker"'),
        ({"InputPath": "$.detail.gone"}, "null"),
    ],
)
def test_a_target_gets_a_part_or_something_else(target: dict[str, Any], expected: str) -> None:
    assert target_input.body(target, EVENT, "arn") == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('{"status": <status>, "size": <size>}', {"status": "InService", "size": 5}),
        ('{"text": "it is <status>, \\"<size>\\""}', {"text": 'it is InService, "5"'}),
        ('"<status> and <gone>."', "InService and ."),
        ('{"all": <names>, "none": <gone>}', {"all": ["a", "bc"], "none": None}),
        ('{"rule": "<aws.events.rule-name>", "event": <aws.events.event>}', {"rule": "r", "event": EVENT}),
        ('{"left": "<unknown>"}', {"left": "<unknown>"}),
    ],
)
def test_a_template_is_filled_as_json_or_as_text(template: str, expected: Any) -> None:
    paths = {"status": "$.detail.status", "size": "$.detail.size", "names": "$.detail.names", "gone": "$.detail.gone"}
    target = {"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}
    assert json.loads(target_input.body(target, EVENT, "arn:aws:events:us-east-1:123456789012:rule/r")) == expected


@given(st.text())
def test_whatever_text_an_event_has_a_filled_template_is_json(text: str) -> None:
    target = {"InputTransformer": {"InputPathsMap": {"a": "$.a"}, "InputTemplate": '{"x": <a>, "y": "is <a>"}'}}
    assert json.loads(target_input.body(target, {"a": text}, "arn")) == {"x": text, "y": f"is {text}"}


@given(st.text("ab*", max_size=6), st.text("ab", max_size=8))
def test_a_star_stands_for_whatever_there_is(wanted: str, text: str) -> None:
    expected = re.fullmatch(wanted.replace("*", ".*"), text) is not None
    assert patterns.matches({"text": [{"wildcard": wanted}]}, {"text": text}) == expected


def test_many_stars_take_no_longer_than_few() -> None:
    assert not patterns.matches({"text": [{"wildcard": "*a" * 40 + "*b*c"}]}, {"text": "a" * 100_000})
