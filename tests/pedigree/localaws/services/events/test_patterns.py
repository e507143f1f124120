"""Event patterns and target inputs: the documentation's examples, and properties that always hold."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.localaws.services.events import pattern_syntax, patterns, target_input

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
        "labels": {"kind": "x"},
        "labels.kind.of": "y",
        "nothing": [],
        "deep": [[{"n": 3}], [{"n": 4}]],
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
        ({"detail.size": [5], "detail": {"status": ["InService"]}}, True),
        ({"detail": {"labels.kind": ["x"]}}, True),
        ({"detail": {"labels": {"kind.of": ["y"]}}}, True),
        ({"detail": {"labels": [{"exists": True}]}}, False),
        ({"detail": {"labels": [{"exists": False}]}}, True),
        ({"detail": {"nothing": [{"exists": True}]}}, False),
        ({"detail": {"parts": {"kind": ["x"], "gone": [{"exists": False}]}}}, True),
        ({"detail": {"deep": {"n": [4]}}}, True),
        ({"detail": {"address": [{"anything-but": {"wildcard": ["11.*", "*.8"]}}]}}, True),
        ({"source": [{"anything-but": {"prefix": ["aws.", "own."]}}]}, False),
        ({"source": [{"anything-but": {"equals-ignore-case": ["AWS.SAGEMAKER"]}}]}, False),
        ({"source": [{"exactly": "aws.sagemaker"}]}, True),
        ({"detail": {"size": [5.0]}}, True),
        ({"detail": {"size": [{"cidr": "0.0.0.0/8"}]}}, False),
    ],
)
def test_a_pattern_matches_or_not(pattern: dict[str, Any], expected: bool) -> None:
    assert patterns.matches(pattern_syntax.parse(json.dumps(pattern)), EVENT) is expected


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
        "{}",
        '{"a": {}}',
        '{"a": [{"wildcard": "a**b"}]}',
        '{"$or": [{"a": ["b"]}]}',
    ],
)
def test_a_malformed_pattern_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r"Event pattern is not valid\. Reason: "):
        pattern_syntax.parse(text)


VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"


def reason(text: str) -> str:
    with pytest.raises(ValueError, match="not valid") as refusal:
        pattern_syntax.parse(text)
    return str(refusal.value).removeprefix("Event pattern is not valid. Reason: ")


@pytest.mark.parametrize(
    ("text", "words", "column"),
    [
        ('{"state": 7}', '"state" must be an object or an array', 12),
        ('{"state": "up"}', '"state" must be an object or an array', 12),
        ('{"state": []}', "Empty arrays are not allowed", 13),
        ('{"n": [{"numeric": 5}]}', "Value of numeric must be an array.", 21),
        ('{"n": [{"numeric": ["<", 5, "<", 9]}]}', "Too many elements in numeric expression", 30),
        ('{"n": [{"numeric": [">", 5, ">=", 9]}]}', "Bad numeric range operator: >=", 33),
        ('{"n": [{"numeric": [">", 9, "<", 5]}]}', "Bottom must be less than top", 36),
        ('{"s": [{"suffix": 5}]}', "suffix match pattern must be a string", 20),
        ('{"s": [{"equals-ignore-case": ["a"]}]}', "equals-ignore-case match pattern must be a string", 32),
        ('{"s": [{"wildcard": "b**"}]}', "Consecutive wildcard characters at pos 2", 26),
        ('{"s": [{"wildcard": "b\\\\x"}]}', "Invalid escape character at pos 2", 27),
        ('{"s": [{"prefix": "a", "suffix": "b"}]}', "Only one key allowed in match expression", 35),
        ('{"s": [{"near": "b"}]}', "Unrecognized match type near", 18),
        ('{"s": [{"anything-but": {}}]}', "Anything-But expression name not found", 27),
        ('{"s": [{"exists": "yes"}]}', "exists match pattern must be either true or false.", 20),
        ('{"$or": {"a": ["b"]}}', "It must be an Array followed with $or.", 10),
        ('{"$or": [{"a": ["b"]}, {"=": ["b"]}]}', "= is Ruler reserved fieldName which cannot be used inside $or.", 31),
        ('["s"]', "Filter is not an object", 2),
        ('{"s": [up]}', f"Unrecognized token 'up': was expecting {VALUES}", 10),
        ('{"s": ["up" 5]}', "Unexpected character ('5' (code 53)): was expecting comma to separate Array entries", 13),
    ],
)  # fmt: skip
def test_a_refusal_has_the_words_of_aws_and_the_place(text: str, words: str, column: int) -> None:
    assert reason(text) == f'{words}\n at [Source: (String)"{text}"; line: 1, column: {column}]'


def test_a_fault_in_a_list_of_anything_but_has_its_place_twice() -> None:
    text = '{"s": [{"anything-but": {"prefix": ["a", 7]}}]}'
    place = f'\n at [Source: (String)"{text}"; line: 1, column: 43]'
    assert reason(text) == f"prefix/suffix match pattern must be a string{place}{place}"


@pytest.mark.parametrize(
    ("comparison", "words"),
    [
        ({"cidr": "10.0.0.0"}, "Malformed CIDR, one '/' required"),
        ({"cidr": "ten.0.0.0/8"}, "Nonstandard IP address: ten.0.0.0"),
        ({"cidr": "10.0.0.0/32"}, "IPv4 mask bits must be < 32"),
        (
            {"wildcard": "*a*b*c*d*e*f"},
            "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a "
            "wildcard character",
        ),
    ],
)
def test_some_refusals_have_no_place(comparison: dict[str, str], words: str) -> None:
    assert reason(json.dumps({"s": [comparison]})) == words


def test_the_place_counts_lines_and_a_long_pattern_is_cut() -> None:
    text = '{\n "s": [],' + " " * 600 + "}"
    assert reason(text).endswith(f'(String)"{text[:500]}"[truncated {len(text) - 500} chars]; line: 2, column: 9]')


def test_an_unfinished_pattern_names_what_is_open() -> None:
    text = '{"s": ["a"'
    start = f'start marker at [Source: (String)"{text}"; line: 1, column: 7]'
    assert reason(text).startswith(f"Unexpected end-of-input: expected close marker for Array ({start})")


leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
json_values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


@given(json_values, json_values)
def test_a_parsed_pattern_matches_any_event_or_not_without_an_error(pattern: Any, event: Any) -> None:
    try:
        parsed = pattern_syntax.parse(json.dumps(pattern))
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
        ('{"all": <names>, "none": <gone>}', {"all": ["a", "bc"], "none": ""}),
        ('{"rule": "<aws.events.rule-name>", "all": <aws.events.event.json>}', {"rule": "r", "all": EVENT}),
        ('{"event": <aws.events.event>}', {"event": {"source": "aws.sagemaker"}}),
        ('"is <names> and <labels>"', "is [a,bc] and {kind:x}"),
        ('{"left": "<unknown>"}', {"left": "<unknown>"}),
    ],
)
def test_a_template_is_filled_as_json_or_as_text(template: str, expected: Any) -> None:
    paths = {"status": "$.detail.status", "size": "$.detail.size", "names": "$.detail.names", "gone": "$.detail.gone"}
    paths["labels"] = "$.detail.labels"
    target = {"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}
    assert json.loads(target_input.render(target, EVENT, "arn:aws:events:us-east-1:123456789012:rule/r")) == expected


@pytest.mark.parametrize("template", ['{"names": "<names>"}', '{"labels": "of <labels>"}'])
def test_a_list_or_an_object_within_a_text_makes_no_json_and_is_not_sent(template: str) -> None:
    paths = {"names": "$.detail.names", "labels": "$.detail.labels"}
    target = {"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}
    with pytest.raises(ValueError, match="Expecting"):
        target_input.render(target, EVENT, "arn")


def test_placeholders_that_nothing_defines_are_found() -> None:
    template = '"<a> <b> <aws.events.rule-arn> <aws.other>"'
    assert target_input.unknown_placeholders({"InputPathsMap": {"a": "$.a"}, "InputTemplate": template}) == [
        "b",
        "aws.other",
    ]


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
