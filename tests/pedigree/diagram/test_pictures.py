"""Pictures: every step, parameter, condition and failure is there, and the text is well-formed for all names."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.diagram.layout import Size, layout
from pedigree.diagram.mermaid import mermaid
from pedigree.diagram.picture import picture
from pedigree.diagram.svg import svg
from pedigree.language.definition import read
from pedigree.language.graph import Edge
from tests.support.definitions import define

SVG = "{http://www.w3.org/2000/svg}"


def drawn(document: Mapping[str, Any]) -> tuple[str, str]:
    shown = picture(read(document))
    return mermaid(shown), svg(shown, "title")


@pytest.mark.parametrize("kind", [0, 1], ids=["mermaid", "svg"])
def test_everything_that_matters_is_visible(kind: int) -> None:
    text = drawn(define())[kind]
    for step in read(define()).all_steps():
        assert step.name in text
    for parameter in read(define()).parameters:
        assert parameter in text
    assert "accuracy ≥ AccuracyThreshold" in text
    assert "accuracy on the test" in text
    assert "true" in text
    assert "false" in text


def test_the_svg_is_self_contained() -> None:
    text = drawn(define())[1]
    root = ET.fromstring(text)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("svg", "title", "style", "defs", "marker", "path", "rect", "text")
    }
    assert "http" not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert "url(" not in text.replace("url(#arrow)", "")


_NAMES = st.lists(
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,30}", fullmatch=True), min_size=1, max_size=12, unique=True
)


@given(_NAMES, st.text(max_size=60), st.data())
def test_any_names_texts_and_edges_can_be_drawn(names: list[str], message: str, data: st.DataObject) -> None:
    steps = [
        {
            "Name": name,
            "Type": "Fail",
            "Arguments": {"ErrorMessage": message},
            "DependsOn": sorted(data.draw(st.sets(st.sampled_from(names[:index])))) if index else [],
        }
        for index, name in enumerate(names)
    ]
    text, vector = drawn({"Version": "2020-12-01", "Parameters": [], "Steps": steps})
    ET.fromstring(vector)
    assert text.count('(["') == len(names)
    assert text.count('"') == 2 * len(names)


@given(st.integers(1, 15), st.data())
def test_boxes_never_overlap_and_stay_on_the_page(count: int, data: st.DataObject) -> None:
    names = [f"s{number}" for number in range(count)]
    sizes = {name: Size(100, data.draw(st.integers(20, 90))) for name in names}
    pairs = [(names[a], names[b]) for b in range(count) for a in range(b)]
    chosen = data.draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    placed = layout(sizes, [Edge(source, target, "data") for source, target in chosen])
    for source, target in chosen:
        assert placed.centers[source][1] < placed.centers[target][1]
        assert placed.routes[source, target][0] == placed.centers[source]
        assert placed.routes[source, target][-1] == placed.centers[target]
    for left, right in combinations(names, 2):
        apart = [abs(a - b) for a, b in zip(placed.centers[left], placed.centers[right], strict=True)]
        assert apart[0] >= 100 or apart[1] >= (sizes[left].height + sizes[right].height) / 2
    for name, (x, y) in placed.centers.items():
        assert 50 <= x <= placed.size.width - 50
        assert sizes[name].height / 2 <= y <= placed.size.height - sizes[name].height / 2


@pytest.mark.parametrize(
    ("condition", "note"),
    [
        ({"Type": "Equals", "LeftValue": {"Get": "Steps.A.Outcome"}, "RightValue": True}, "{A} = True"),
        ({"Type": "In", "QueryValue": {"Get": "Parameters.P"}, "Values": ["x", 3]}, "P in x, 3"),
        ({"Type": "Not", "Condition": {"Type": "LessThan", "LeftValue": 1, "RightValue": 2}}, "not (1 < 2)"),
        (
            {
                "Type": "Or",
                "Conditions": [
                    {"Type": "GreaterThan", "LeftValue": 1, "RightValue": 2},
                    {"Type": "LessThanOrEqualTo", "LeftValue": {"Get": "Execution.PipelineName"}, "RightValue": "x"},
                ],
            },
            "(1 > 2) or (PipelineName ≤ x)",
        ),
    ],
)
def test_a_condition_becomes_a_short_note(condition: dict[str, Any], note: str) -> None:
    step = {"Name": "A", "Type": "Condition", "Arguments": {"Conditions": [condition], "IfSteps": [], "ElseSteps": []}}
    box = picture(read({"Version": "2020-12-01", "Parameters": [], "Steps": [step]})).boxes[0]
    assert box.note == note


def test_an_empty_definition_is_an_empty_picture() -> None:
    text, vector = drawn({"Version": "2020-12-01", "Parameters": [], "Steps": []})
    assert text.startswith("flowchart TD")
    ET.fromstring(vector)


def test_data_and_order_between_two_steps_are_one_edge() -> None:
    first = {"Name": "First", "Type": "Training", "Arguments": {}}
    model = {"Get": "Steps.First.ModelArtifacts.S3ModelArtifacts"}
    second = {"Name": "Second", "Type": "Lambda", "DependsOn": ["First"], "Arguments": {"model": model}}
    shown = picture(read({"Steps": [first, second]}))
    assert shown.edges == (Edge("First", "Second", "data"),)
