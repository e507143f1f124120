"""The changes that a new definition makes to an old one, and the steps that lose their cached results."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pedigree.language import caching
from pedigree.language.definition import Definition, read
from pedigree.language.expressions import is_expression
from pedigree.language.reuse import losses
from pedigree.language.revision import changes
from tests.support.definitions import define
from tests.support.effects import EFFECTS, Effect
from tests.support.strategies import valid_settings

Change = Callable[[dict[str, Any]], None]


def changed(change: Change, values: Mapping[str, Any] | None = None) -> list[str]:
    """The lines about a definition in which something was changed."""
    old, new = define(values), define(values)
    change(new)
    return changes(read(old), read(new))


def arguments(document: Mapping[str, Any], name: str) -> Any:
    return read(document).by_name()[name].arguments


def lost(lines: list[str]) -> list[str]:
    return [line.split(" ")[0] for line in lines if "loses its cached results" in line]


def test_another_spelling_of_a_definition_is_no_change() -> None:
    document = define()
    shuffled = json.loads(json.dumps(document, sort_keys=True, indent=3))
    for parameter in shuffled["Parameters"]:
        if parameter["Type"] == "Float":
            parameter["DefaultValue"] = float(parameter["DefaultValue"])
    assert changes(read(document), read(shuffled)) == []


def test_another_order_is_reported_and_loses_no_results() -> None:
    assert changed(lambda new: new["Parameters"].reverse()) == ["the entries have another order"]


def test_a_default_is_reported_with_the_steps_that_lose_their_results() -> None:
    def fewer_epochs(new: dict[str, Any]) -> None:
        next(entry for entry in new["Parameters"] if entry["Name"] == "Epochs")["DefaultValue"] = 10

    assert changed(fewer_epochs) == [
        "parameter Epochs: default 50 → 10",
        "Tune loses its cached results: Epochs has another default",
        "TrainBest loses its cached results: Epochs has another default; takes from Tune, which must run again",
        "TrainDistributed loses its cached results: Epochs has another default; takes from Tune, which must run again",
        "Evaluate loses its cached results: takes from TrainBest, TrainDistributed, which must run again",
    ]


def test_a_machine_loses_nothing() -> None:
    def larger(new: dict[str, Any]) -> None:
        arguments(new, "TrainBest")["ResourceConfig"]["VolumeSizeInGB"] = 100

    assert changed(larger) == ["step TrainBest: ResourceConfig.VolumeSizeInGB: 50 → 100"]


def test_a_cache_that_is_switched_off_is_lost_and_so_are_those_after_it() -> None:
    def switch_off(new: dict[str, Any]) -> None:
        next(entry for entry in new["Steps"] if entry["Name"] == "Tune")["CacheConfig"]["Enabled"] = False

    lines = changed(switch_off)
    assert lines[:2] == [
        "step Tune: CacheConfig.Enabled: true → false",
        "Tune loses its cached results: its cache is switched off",
    ]
    assert lost(lines) == ["Tune", "TrainBest", "TrainDistributed", "Evaluate"]


def test_added_and_removed_steps_are_reported_with_their_wiring() -> None:
    without, both = read(define({"distributed.enabled": False})), read(define())
    assert [line for line in changes(without, both) if not line.startswith("step Evaluate")] == [
        "parameter DistributedInstanceType added: String, default ml.p4d.24xlarge",
        "parameter DistributedInstanceCount added: Integer, default 2",
        "step TrainDistributed added: Training",
        "wiring: Evaluate now takes from TrainDistributed",
        "Evaluate loses its cached results: AppSpecification differs; ProcessingInputs differs",
    ]
    assert "step Evaluate: ProcessingInputs[candidate-distributed] removed" in changes(both, without)
    assert "wiring: Evaluate no longer takes from TrainDistributed" in changes(both, without)


def test_a_long_text_is_reported_by_the_part_that_differs() -> None:
    old = define()
    new = json.loads(json.dumps(old).replace("/code/e3b0c44298fc1c14/", "/code/0123456789abcdef/"))
    lines = changes(read(old), read(new))
    assert lines[0].startswith("step PrepareData: ProcessingInputs[code].S3Input.S3Uri: …")
    assert "e3b0c44298fc1c14/s" in lines[0]
    assert "0123456789abcdef/s" in lines[0]
    assert lost(lines) == ["PrepareData", "Tune", "TrainBest", "TrainDistributed", "Evaluate"]


def test_wiring_is_reported_when_a_reference_moves() -> None:
    def take_from_best(new: dict[str, Any]) -> None:
        for entry in arguments(new, "Evaluate")["ProcessingInputs"]:
            if entry["InputName"] == "candidate-distributed":
                entry["S3Input"]["S3Uri"] = {"Get": "Steps.TrainBest.ModelArtifacts.S3ModelArtifacts"}

    lines = changed(take_from_best)
    assert "wiring: Evaluate no longer takes from TrainDistributed" in lines
    assert any("${TrainDistributed.Mode" in line and "${TrainBest.Mode" in line for line in lines)


def test_a_step_that_moves_into_a_branch_is_reported() -> None:
    def move(new: dict[str, Any]) -> None:
        step = next(entry for entry in new["Steps"] if entry["Name"] == "Evaluate")
        new["Steps"].remove(step)
        arguments(new, "QualityGate")["ElseSteps"].append(step)

    assert "step Evaluate: moved: in no branch → in the else branch of QualityGate" in changed(move)


def test_values_that_look_alike_are_distinguished() -> None:
    def as_text(new: dict[str, Any]) -> None:
        arguments(new, "Tune")["HyperParameterTuningJobConfig"]["RandomSeed"] = "42"

    assert changed(as_text)[0] == 'step Tune: HyperParameterTuningJobConfig.RandomSeed: 42 → "42"'


def test_many_fields_are_counted() -> None:
    def many(new: dict[str, Any]) -> None:
        arguments(new, "TrainBest")["HyperParameters"].update({f"hyper{number}": "1" for number in range(30)})

    lines = [line for line in changed(many) if line.startswith("step TrainBest")]
    assert len(lines) == 7
    assert lines[-1] == "step TrainBest: and 24 more fields"
    assert all(len(line) < 200 for line in lines)


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.key)
def test_every_change_of_a_setting_is_reported(effect: Effect) -> None:
    old, new = effect.definitions()
    lines = changes(read(old), read(new))
    for name in effect.changes():
        assert any(f" {name}" in f" {line}" for line in lines), name


@cache
def default() -> Definition:
    return read(define())


@settings(max_examples=25)
@given(st.data())
def test_a_step_loses_its_results_exactly_if_it_would_be_looked_up_otherwise(data: Any) -> None:
    other = read(define(data.draw(valid_settings())))
    losing = {loss.step for loss in losses(default(), other)}
    before, after = looked_up(default()), looked_up(other)
    assert losing == {name for name in before if name in other.by_name() and before[name] != after.get(name)}


def looked_up(definition: Definition) -> dict[str, str]:
    """The cache key of each cached step, in an execution with all defaults."""
    steps = definition.by_name()

    def resolved(value: Any) -> Any:
        if is_expression(value) and "Get" in value:
            root, _, rest = value["Get"].partition(".")
            name = rest.split(".")[0].split("[")[0]
            return (
                definition.parameters[name].default
                if root == "Parameters"
                else [rest, run(name) if root == "Steps" else ""]
            )
        if isinstance(value, dict):
            return {key: resolved(member) for key, member in value.items()}
        return [resolved(member) for member in value] if isinstance(value, list) else value

    @cache
    def run(name: str) -> str:
        """The cache key of a step, if its results are used."""
        step = steps[name]
        target = str(step.document.get("FunctionArn") or step.document.get("SqsQueueUrl") or "")
        return caching.key(step, resolved(step.own_arguments), target) if caching.lifetime(step) else "always anew"

    return {name: run(name) for name, step in steps.items() if caching.lifetime(step)}
