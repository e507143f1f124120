"""Event patterns and target inputs: the documentation's examples, and properties that always hold."""

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
    assert patterns.matches(patterns.parse(json.dumps(pattern)), EVENT) is expected


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
def test_a_malformed_pattern_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r"Event pattern is not valid\. Reason: "):
        patterns.parse(text)


leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
json_values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


@given(json_values, json_values)
def test_a_parsed_pattern_matches_any_event_or_not_without_an_error(pattern: Any, event: Any) -> None:
    try:
        parsed = patterns.parse(json.dumps(pattern))
    except ValueError:
        return
    assert patterns.matches(parsed, event) in (True, False)


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
def test_a_target_gets_its_own_input_or_a_part_of_the_event(target: dict[str, Any], expected: str) -> None:
    assert target_input.render(target, EVENT, "arn") == expected


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
    assert json.loads(target_input.render(target, EVENT, "arn:aws:events:us-east-1:123456789012:rule/r")) == expected


@given(st.text())
def test_a_filled_template_is_json_for_any_text(text: str) -> None:
    target = {"InputTransformer": {"InputPathsMap": {"a": "$.a"}, "InputTemplate": '{"x": <a>, "y": "is <a>"}'}}
    assert json.loads(target_input.render(target, {"a": text}, "arn")) == {"x": text, "y": f"is {text}"}


@given(st.text("ab*", max_size=6), st.text("ab", max_size=8))
def test_a_star_matches_any_text(wildcard: str, text: str) -> None:
    expected = re.fullmatch(wildcard.replace("*", ".*"), text) is not None
    assert patterns.matches({"text": [{"wildcard": wildcard}]}, {"text": text}) == expected


def test_a_pattern_with_many_stars_is_matched_quickly() -> None:
    assert not patterns.matches({"text": [{"wildcard": "*a" * 40 + "*b*c"}]}, {"text": "a" * 100_000})
