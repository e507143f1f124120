"""The graph: which steps there are, which waits for which, with and without the distributed step."""

from __future__ import annotations

from typing import Any

import pytest

from entrypoints import contract
from pedigree.language.definition import read
from pedigree.language.graph import edges, upstream, without_shortcuts
from tests.support.definitions import assert_sound, define, step

ALL_STEPS = {
    "PrepareData": "Processing",
    "Tune": "Tuning",
    "TrainBest": "Training",
    "TrainDistributed": "Training",
    "Evaluate": "Processing",
    "QualityGate": "Condition",
    "RegisterModel": "RegisterModel",
    "DeployEndpoint": "Lambda",
    "AwaitEndpoint": "Callback",
    "ConfigureAutoscaling": "Lambda",
    "QualityTooLow": "Fail",
}


def test_it_has_the_steps_of_the_design() -> None:
    assert {one.name: one.type for one in read(define()).all_steps()} == ALL_STEPS


def test_it_is_wired_as_drawn() -> None:
    drawn = {(edge.source, edge.target, edge.why) for edge in without_shortcuts(edges(read(define())))}
    assert drawn == {
        ("PrepareData", "Tune", "data"),
        ("Tune", "TrainBest", "data"),
        ("Tune", "TrainDistributed", "data"),
        ("TrainBest", "Evaluate", "data"),
        ("TrainDistributed", "Evaluate", "data"),
        ("Evaluate", "QualityGate", "data"),
        ("QualityGate", "RegisterModel", "true"),
        ("QualityGate", "QualityTooLow", "false"),
        ("RegisterModel", "DeployEndpoint", "data"),
        ("DeployEndpoint", "AwaitEndpoint", "data"),
        ("AwaitEndpoint", "ConfigureAutoscaling", "data"),
    }


def test_no_order_is_only_hoped_for() -> None:
    before = upstream(read(define()))
    assert before["ConfigureAutoscaling"] == set(ALL_STEPS) - {"ConfigureAutoscaling", "QualityTooLow"}


def test_without_the_distributed_step_nothing_speaks_of_it() -> None:
    document = define({"distributed.enabled": False})
    assert "istributed" not in str(document)
    assert_sound(document)


@pytest.mark.parametrize(
    ("enabled", "candidates"), [(True, [contract.BEST, contract.DISTRIBUTED]), (False, [contract.BEST])]
)
def test_evaluate_takes_the_candidates_that_there_are(enabled: bool, candidates: list[str]) -> None:
    arguments: dict[str, Any] = step(define({"distributed.enabled": enabled}), "Evaluate")["Arguments"]
    words = arguments["AppSpecification"]["ContainerArguments"]
    given = [words[index + 1].partition("=")[0] for index, word in enumerate(words) if word == "--candidate"]
    channels = [one["InputName"] for one in arguments["ProcessingInputs"]]
    assert given == candidates
    assert [name for name in channels if name.startswith(contract.CANDIDATE)] == [
        f"candidate-{one}" for one in candidates
    ]


def test_every_step_says_what_it_is_for() -> None:
    silent = [
        one.name for one in read(define()).all_steps() if one.type != "Fail" and "Description" not in one.document
    ]
    assert not silent
