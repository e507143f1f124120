"""The charts of the report: well-formed for any numbers and names, and correct."""

from __future__ import annotations

import itertools
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import charts
from scores import Bin

SVG = "{http://www.w3.org/2000/svg}"
NUMBERS = st.floats(-1e12, 1e12)


def texts(drawing: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(drawing).iter(f"{SVG}text")]


def rectangles(drawing: str) -> list[ET.Element]:
    return [element for element in ET.fromstring(drawing).iter(f"{SVG}rect") if element.find(f"{SVG}title") is not None]


@given(st.lists(NUMBERS, min_size=1, max_size=20))
def test_curves_stay_on_the_paper(values: list[float]) -> None:
    tree = ET.fromstring(charts.curves("loss", {"train": list(enumerate(values, 1))}))
    (line,) = tree.iter(f"{SVG}polyline")
    points = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    assert len(points) == len(values)
    assert all(0 <= x <= 460 and 0 <= y <= 270 for x, y in points)
    # Higher on the paper where the number is higher, as far as the drawing's precision goes.
    for (element, (_, upper)), (other, (_, lower)) in itertools.pairwise(zip(values, points, strict=True)):
        assert element <= other or upper <= lower


def test_an_empty_series_draws_nothing() -> None:
    assert charts.curves("loss", {}) == ""
    assert charts.curves("loss", {"train": []}) == ""


@pytest.mark.parametrize(("highest", "top"), [(0.584, "0.6"), (4.8, "5"), (2.1, "2.5"), (1.0, "1"), (0.0, "0")])
def test_a_chart_ends_with_a_round_number(highest: float, top: str) -> None:
    assert top in texts(charts.curves("loss", {"train": [(1, highest), (2, highest / 2)]}))


def test_the_names_of_the_lines_stand_beside_each_other_on_the_paper() -> None:
    tree = ET.fromstring(charts.curves("loss", {"train": [(1, 1)], "validation": [(1, 2)]}))
    ends = {
        element.text: float(element.attrib["x"])
        for element in tree.iter(f"{SVG}text")
        if element.text in ("train", "validation")
    }
    assert 0 < ends["validation"] < ends["train"] - 20 < 460


def test_epochs_are_counted_whole() -> None:
    drawn = texts(charts.curves("loss", {"train": [(1, 0.5), (2, 0.25)]}))
    assert {"1", "2"} <= set(drawn)
    assert "1.2" not in drawn


def test_a_part_keeps_its_color_where_another_is_missing() -> None:
    both = charts.curves("loss", {"train": [(1, 1), (2, 2)], "validation": [(1, 2), (2, 1)]})
    alone = charts.curves("loss", {"train": [], "validation": [(1, 2), (2, 1)]})
    assert charts.COLORS[0] in both
    assert charts.COLORS[0] not in alone
    assert charts.COLORS[1] in alone


@pytest.mark.parametrize("classes", [2, 7, 41, 133])
def test_a_matrix_has_a_cell_for_every_pair_that_occurred(classes: int) -> None:
    table = np.random.default_rng(0).poisson(0.1, (classes, classes)) + np.eye(classes, dtype=np.int64)
    drawing = charts.matrix("matrix", table, [f"Class {number}" for number in range(classes)])
    assert len(rectangles(drawing)) == np.count_nonzero(table)
    assert ("Class 1" in texts(drawing)) == (classes <= 40)


def test_names_are_escaped() -> None:
    name = "<script>&\"'"
    drawing = charts.matrix(name, np.eye(2, dtype=np.int64), [name, "b"])
    assert name in texts(drawing)
    assert "<script>" not in drawing


def test_a_bar_is_as_high_as_its_answers_are_right() -> None:
    drawing = charts.reliability("calibration", [Bin(4, 0.2, 0.5), Bin(0, 0, 0), Bin(8, 0.9, 1.0)])
    half, full = (float(element.attrib["height"]) for element in rectangles(drawing))
    assert full == pytest.approx(2 * half)
