"""Expressions are parsed, found anywhere in a document, and evaluated; malformed ones are refused with a reason."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.language.errors import ExpressionError
from pedigree.language.expressions import (
    ExecutionReference,
    Item,
    Join,
    JsonGet,
    Member,
    ParameterReference,
    StepReference,
    evaluate,
    parse,
    references,
    walk,
)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"Get": "Parameters.Epochs"}, ParameterReference("Epochs")),
        ({"Get": "Execution.PipelineName"}, ExecutionReference("PipelineName")),
        (
            {"Get": "Steps.Tune.BestTrainingJob.TrainingJobName"},
            StepReference("Tune", (Member("BestTrainingJob"), Member("TrainingJobName"))),
        ),
        (
            {"Get": "Steps.A-b_c.Outputs['a.b'].Uri"},
            StepReference("A-b_c", (Member("Outputs"), Item("a.b"), Member("Uri"))),
        ),
        (
            {"Get": 'Steps.T.TrainingJobSummaries[3]["x"]'},
            StepReference("T", (Member("TrainingJobSummaries"), Item(3), Item("x"))),
        ),
        (
            {"Std:Join": {"On": "/", "Values": ["a", {"Get": "Parameters.B"}, 3]}},
            Join("/", ("a", ParameterReference("B"), 3)),
        ),
        (
            {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.E.PropertyFiles.F"}, "Path": "a.b"}},
            JsonGet("a.b", "E", "F"),
        ),
        ({"Std:JsonGet": {"S3Uri": "s3://b/k", "Path": "a"}}, JsonGet("a", s3_uri="s3://b/k")),
        ("text", "text"),
        (3, 3),
        (None, None),
    ],
)
def test_an_expression_is_parsed(written: Any, expected: Any) -> None:
    assert parse(written) == expected


@pytest.mark.parametrize(
    ("written", "cause"),
    [
        ({"Get": "Epochs"}, "write Parameters.Name, Execution.Name or Steps.Name.Member"),
        ({"Get": "Parameters."}, "write Parameters.Name, Execution.Name or Steps.Name.Member"),
        ({"Get": 3}, "write a path like"),
        ({"Get": "Steps.A.b[x]"}, 'malformed from "[x]"'),
        ({"Get": "Steps.A.b..c"}, "malformed from"),
        ({"Std:Join": {"On": "/"}}, "write {'On': '/', 'Values': […]}"),
        ({"Std:Join": ["a"]}, "write {'On': '/', 'Values': […]}"),
        ({"Std:JsonGet": {"Path": "a"}}, "a PropertyFile or an S3Uri"),
        ({"Std:JsonGet": {"PropertyFile": {"Get": "Parameters.A"}, "Path": "a"}}, "Steps.Name.PropertyFiles.File"),
        ({"a": 1}, "is not a value"),
        (["a"], "is not a value"),
    ],
)
def test_a_malformed_expression_is_refused_with_a_reason(written: Any, cause: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(written)
    assert cause in str(caught.value)


def test_expressions_are_found_with_their_place() -> None:
    request = {"a": [{"Get": "Parameters.X"}, {"b/c": {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Y"}]}}}]}
    assert [pointer for pointer, _ in walk(request)] == ["/a/0", "/a/1/b~1c"]


def test_references_inside_other_expressions_are_found() -> None:
    inner = {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.A"}]}}
    expression = parse({"Std:Join": {"On": "/", "Values": [inner, {"Get": "Execution.PipelineName"}]}})
    assert list(references(expression)) == [ParameterReference("A"), ExecutionReference("PipelineName")]


def test_a_join_writes_values_as_json_does() -> None:
    expression = parse({"Std:Join": {"On": "-", "Values": ["a", True, 1.5, {"Get": "Parameters.N"}]}})
    assert evaluate(expression, lambda reference: 7) == "a-true-1.5-7"


_NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True)
_KEYS = st.text(st.characters(exclude_characters="'"), max_size=10)


@given(
    _NAMES, st.lists(st.one_of(_NAMES, st.integers(0, 49), _KEYS.map(lambda key: f"'{key}'")), min_size=1, max_size=6)
)
def test_any_path_is_read_as_written(step: str, segments: list[Any]) -> None:
    written, expected = f"Steps.{step}", []
    for segment in segments:
        quoted = isinstance(segment, str) and segment.startswith("'")
        written += f"[{segment}]" if quoted or isinstance(segment, int) else f".{segment}"
        expected.append(
            Item(segment[1:-1]) if quoted else Item(segment) if isinstance(segment, int) else Member(segment)
        )
    assert parse({"Get": written}) == StepReference(step, tuple(expected))
