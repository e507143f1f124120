"""The graph: which steps there are, which waits for which, with and without the distributed step."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from entrypoints import contract
from pedigree.language.definition import read
from pedigree.language.graph import edges, upstream, without_shortcuts
from tests.support.definitions import assert_sound, define, step

DRAWING = (Path(__file__).parents[2] / "docs" / "pipeline.mmd").read_text(encoding="utf-8")
DRAWN_STEPS = {
    number: (name, kind) for number, name, kind in re.findall(r"(step\d+)\W+<b>(\w+)</b>.*:::(\w+)", DRAWING)
}
DRAWN_EDGES = re.findall(r"(step\d+) -->(?:\|(\w+)\|)? (step\d+)", DRAWING)
JOBS = ("Processing", "Tuning", "Training")


def test_it_has_the_steps_that_the_reviewed_picture_shows() -> None:
    steps = {(step.name, "Job" if step.type in JOBS else step.type) for step in read(define()).all_steps()}
    assert steps == set(DRAWN_STEPS.values())


def test_it_is_wired_as_the_reviewed_picture_shows() -> None:
    drawn = {(DRAWN_STEPS[source][0], DRAWN_STEPS[target][0], why or "data") for source, why, target in DRAWN_EDGES}
    assert {(edge.source, edge.target, edge.reason) for edge in without_shortcuts(edges(read(define())))} == drawn


def test_the_last_step_waits_for_all_steps_that_it_needs() -> None:
    trained = "PrepareData Tune TrainBest TrainDistributed Evaluate"
    deployed = "QualityGate RegisterModel DeployEndpoint AwaitEndpoint"
    assert {*trained.split(), *deployed.split()} <= upstream(read(define()))["ConfigureAutoscaling"]


def test_nothing_mentions_the_distributed_step_if_it_is_left_out() -> None:
    document = define({"distributed.enabled": False})
    assert "istributed" not in str(document)
    assert_sound(document)


@pytest.mark.parametrize(
    ("enabled", "candidates"), [(True, [contract.BEST, contract.DISTRIBUTED]), (False, [contract.BEST])]
)
def test_evaluate_compares_every_candidate(enabled: bool, candidates: list[str]) -> None:
    arguments: dict[str, Any] = step(define({"distributed.enabled": enabled}), "Evaluate")["Arguments"]
    words = arguments["AppSpecification"]["ContainerArguments"]
    given = [words[index + 1].partition("=")[0] for index, word in enumerate(words) if word == "--candidate"]
    channels = [channel["InputName"] for channel in arguments["ProcessingInputs"]]
    assert given == candidates
    assert [name for name in channels if name.startswith(contract.CANDIDATE)] == [
        f"candidate-{candidate}" for candidate in candidates
    ]


def test_every_step_says_what_it_is_for() -> None:
    steps = [step for step in read(define()).all_steps() if step.type != "Fail"]
    assert not [step.name for step in steps if "Description" not in step.document]
