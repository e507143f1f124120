"""Any JSON is either a definition that answers all questions, or refused with a message."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.diagram.mermaid import mermaid
from pedigree.diagram.picture import picture
from pedigree.diagram.svg import svg
from pedigree.language import graph, references
from pedigree.language.definition import Definition, parse, read
from pedigree.language.errors import LanguageError
from tests.support import request_validation
from tests.support.definitions import define

KEYS = (
    *("Steps", "Name", "Type", "Arguments", "Get", "Std:Join", "Std:JsonGet", "Values", "On", "Path", "PropertyFile"),
    *("IfSteps", "ElseSteps", "Conditions", "Condition", "LeftValue", "RightValue", "DependsOn", "Parameters", "S3Uri"),
)
WORDS = (
    *("Condition", "Fail", "Lambda", "Training", "Tuning", "Equals", "In", "Or", "Not", "Integer", "String"),
    *("Parameters.Epochs", "Parameters.", "Steps.Tune.BestTrainingJob", "Steps.Tune.TrainingJobSummaries[99999999]"),
    *("Steps.Evaluate.PropertyFiles.Evaluation", "Execution.PipelineName", "Steps.Tune", "Tune", "2020-12-01"),
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS)
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
QUESTIONS: tuple[Callable[[Definition], Any], ...] = (
    lambda definition: mermaid(picture(definition)),
    lambda definition: svg(picture(definition), "title"),
    lambda definition: list(references.dangling_references(definition, references.uses(definition))),
    lambda definition: list(request_validation.problems(definition)),
    graph.upstream,
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every member of every object and list, as its container and key."""
    for key, member in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(member, (dict, list)):
            yield from places(member)


def answers(document: Any) -> Iterator[bool]:
    """Whether each question has an answer or a message; any other exception is a bug."""
    try:
        definition = read(document)
    except LanguageError as refusal:
        yield bool(str(refusal))
        return
    for question in QUESTIONS:
        try:
            question(definition)
        except LanguageError as refusal:
            yield bool(str(refusal))
        else:
            yield True


@given(JSON)
def test_any_json(document: Any) -> None:
    assert all(answers(document))


@given(st.data())
def test_a_definition_in_which_anything_stands_anywhere(data: st.DataObject) -> None:
    document = copy.deepcopy(define())
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(list(places(document))))
        container[key] = data.draw(JSON)
    assert all(answers(document))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"Steps": ' * 50_000, "9" * 5000, "\ud800", "", "NaN"])
def test_hostile_text_is_refused(text: str) -> None:
    with pytest.raises(LanguageError):
        parse(text)


def test_conditions_in_conditions_end() -> None:
    step: dict[str, Any] = {"Name": "last", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}
    for number in range(100):
        step = {"Name": f"c{number}", "Type": "Condition", "Arguments": {"Conditions": [], "IfSteps": [step]}}
    with pytest.raises(LanguageError, match="is inside of more than 20 conditions"):
        parse(json.dumps({"Version": "2020-12-01", "Steps": [step]}))
