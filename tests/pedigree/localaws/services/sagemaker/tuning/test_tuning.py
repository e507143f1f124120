"""The requests of searches, their ranges, and the points that they try."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.services.sagemaker.tuning import search
from pedigree.localaws.services.sagemaker.tuning.plan import plan_of
from pedigree.localaws.services.sagemaker.tuning.ranges import Choice, Dimension, Span, combinations, dimensions, points
from pedigree.localaws.services.sagemaker.tuning.trials import Trial
from tests.support.tuning_plans import LETTERS, grid, plan, request, running, trial

# Ranges


def span(low: str, high: str, scale: str = "Auto", kind: str = "Continuous") -> Dimension:
    range_ = {"Name": "x", "MinValue": low, "MaxValue": high, "ScalingType": scale}
    return dimensions({f"{kind}ParameterRanges": [range_]})[0]


@pytest.mark.parametrize(
    ("low", "high", "kind", "scale"),
    [
        ("0.001", "0.1", "Continuous", "Logarithmic"),
        ("0.5", "0.9", "Continuous", "Linear"),
        ("0.9", "0.9999", "Continuous", "ReverseLogarithmic"),
        ("0", "1", "Continuous", "Linear"),
        ("-5", "500", "Continuous", "Linear"),
        ("1", "1000", "Integer", "Logarithmic"),
        ("0", "1000", "Integer", "Linear"),
    ],
)
def test_the_scale_that_is_left_to_the_service_follows_from_the_bounds(
    low: str, high: str, kind: str, scale: str
) -> None:
    found = span(low, high, kind=kind)
    assert isinstance(found, Span)
    assert found.scale == scale


@pytest.mark.parametrize(
    ("low", "high", "scale", "kind", "message"),
    [
        ("1", "1", "Linear", "Continuous", r"The MinValue of hyperparameter \[x\], \[1\], must be less than its MaxV"),
        ("a", "1", "Linear", "Continuous", r"The MinValue of hyperparameter \[x\], \[a\], is not a number."),
        ("0", "inf", "Linear", "Continuous", r"The MaxValue .* is not a number."),
        ("0", "1.5", "Linear", "Integer", r"The MaxValue .* is not an integer."),
        ("0", "9" * 200, "Linear", "Integer", r"The MaxValue .* is not an integer."),
        ("0", "1", "Logarithmic", "Continuous", "only for values greater than 0"),
        ("0.5", "1", "ReverseLogarithmic", "Continuous", "within 0<=x<1.0"),
        ("-1", "0.5", "ReverseLogarithmic", "Continuous", "within 0<=x<1.0"),
        ("1", "5", "ReverseLogarithmic", "Integer", "of a continuous range"),
    ],
)
def test_a_malformed_range_is_refused(low: str, high: str, scale: str, kind: str, message: str) -> None:
    with pytest.raises(ServiceError, match=message) as raised:
        span(low, high, scale, kind)
    assert raised.value.code == "ValidationException"


bounds = st.tuples(st.floats(1e-6, 0.99), st.floats(1e-6, 0.99)).filter(lambda pair: pair[0] < pair[1]).map(sorted)


@given(bounds, st.sampled_from(["Linear", "Logarithmic", "ReverseLogarithmic"]), st.floats(0, 1))
def test_a_position_is_a_value_of_the_range_and_back(limits: list[float], scale: str, share: float) -> None:
    axis = Span("x", limits[0], limits[1], scale)
    low, high = axis.bounds
    position = low + share * (high - low)
    text = axis.text(position)
    assert axis.holds(text)
    assert low <= axis.position(text) <= high
    assert axis.position(text) == pytest.approx(position, abs=1e-9)


@given(st.integers(-(2**40), 2**40), st.integers(1, 2**20), st.floats(0, 1))
def test_a_whole_number_stays_one(low: int, width: int, share: float) -> None:
    axis = Span("x", low, low + width, is_whole=True)
    text = axis.text(low + share * width)
    assert low <= int(text) <= low + width
    assert axis.text(axis.position(text)) == text


def test_a_finite_space_has_each_point_once() -> None:
    space = (Choice("a", ("x", "y")), Span("b", 1, 3, is_whole=True))
    every = [tuple(point.items()) for point in points(space)]
    assert len(set(every)) == len(every) == combinations(space) == 6
    assert every[0] == (("a", "x"), ("b", "1"))


# Requests


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"TrainingJobDefinitions": []}, "Specify either TrainingJobDefinition or TrainingJobDefinitions"),
        ({"Autotune": {"Mode": "Enabled"}}, "Autotune is not supported by the local AWS"),
        ({"config": {"ParameterRanges": {}}}, "Specify from 1 to 30 hyperparameter ranges"),
        ({"definition": {"StaticHyperParameters": {"x": "1"}}}, r"Hyperparameter \[x\] is given twice"),
        ({"definition": {"AlgorithmSpecification": {}}}, "A metric is required for this hyperparameter tuning job obj"),
        ({"definition": {"ResourceConfig": {}}}, "with an InstanceType"),
        ({"config": {"ParameterRanges": LETTERS}}, r"You don't have enough combinations .* ranges \[3.0\] .* \[4\]"),
        ({"config": {"ResourceLimits": {"MaxParallelTrainingJobs": 1}}}, "Specify MaxNumberOfTrainingJobs or"),
        ({"config": {"Strategy": "Grid"}}, "Grid search supports only categorical"),
        ({"config": {"Strategy": "Grid", "ParameterRanges": LETTERS}}, r"\[4\], must equal .* \[3\]"),
        (
            {"config": {"Strategy": "Hyperband"}, "definition": {"StaticHyperParameters": {}}},
            "MaxResource parameter is not provided and could not be inferred",
        ),
        (
            {"config": {"Strategy": "Hyperband", "TrainingJobEarlyStoppingType": "Auto"}},
            "TrainingJobEarlyStoppingType must be Off",
        ),
        (
            {
                "config": {
                    "Strategy": "Hyperband",
                    "StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 10, "MaxResource": 9}},
                }
            },
            r"MaxResource, \[9\], must be at least MinResource, \[10\]",
        ),
        (
            {"config": {"StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 1}}}},
            "only if Strategy is Hyperband",
        ),
        (
            {
                "config": {
                    "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "x", "Values": ["a", "a"]}]},
                }
            },
            "must be unique",
        ),
    ],
)
def test_a_search_that_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ServiceError, match=message) as raised:
        plan_of(request(**changes))
    assert raised.value.code == "ValidationException"


bounds_as_text = st.sampled_from(["", "0", "-1", "1", "1.5", "nan", "inf", "1e309", "1e-320", "9" * 200, "a", "0x1"])
scales = st.sampled_from(["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"])
kinds = st.sampled_from(["Continuous", "Integer"])


@given(st.lists(st.tuples(kinds, st.sampled_from("xyz"), bounds_as_text, bounds_as_text, scales), max_size=3))
def test_whatever_the_ranges_are_they_are_searched_or_refused(
    drawn: list[tuple[str, str, str, str, str]],
) -> None:
    ranges: dict[str, list[dict[str, str]]] = {}
    for kind, name, low, high, scale in drawn:
        range_ = {"Name": name, "MinValue": low, "MaxValue": high, "ScalingType": scale}
        ranges.setdefault(f"{kind}ParameterRanges", []).append(range_)
    limits = {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1}
    try:
        accepted = plan(Strategy="Random", ParameterRanges=ranges, ResourceLimits=limits)
    except ServiceError as error:
        assert error.code == "ValidationException"  # noqa: PT017  # a refusal is one of two ways that are right
        return
    point = search.next_point(accepted, 0, 1, [])
    assert all(dimension.holds(point[dimension.name]) for dimension in accepted.definitions[0].space)


@pytest.mark.parametrize("limits", [{"MaxNumberOfTrainingJobs": 751}, {"MaxParallelTrainingJobs": 101}])
def test_a_search_that_is_too_large_is_refused(limits: dict[str, int]) -> None:
    usual = {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2}
    with pytest.raises(ServiceError, match="service limit") as raised:
        plan(ResourceLimits={**usual, **limits})
    assert raised.value.code == "ResourceLimitExceeded"


def test_hyperband_takes_its_most_from_the_epochs() -> None:
    assert plan(Strategy="Hyperband").resource == (1, 9)


def test_a_trial_gets_fixed_and_tuned_hyperparameters_and_the_name_of_its_objective() -> None:
    training = plan().definitions[0].request("job", {"x": "0.5"})
    assert training["HyperParameters"] == {"epochs": "9", "x": "0.5", "_tuning_objective_metric": "loss"}
    assert (training["TrainingJobName"], "StaticHyperParameters" in training) == ("job", False)


def test_of_several_machines_that_would_do_the_first_is_taken() -> None:
    machines = {"InstanceType": "ml.g5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 5}
    flexible = {"AllocationStrategy": "Prioritized", "InstanceConfigs": [machines, {}]}
    search_plan = plan_of(request(definition={"HyperParameterTuningResourceConfig": flexible}))
    assert search_plan.definitions[0].request("job", {})["ResourceConfig"] == machines


def test_without_a_seed_the_name_is_one() -> None:
    assert plan() == plan()
    other = plan_of({**request(), "HyperParameterTuningJobName": "other"})
    assert other.seed != plan().seed


# Which point is next


def test_a_grid_goes_through_all_points_in_order() -> None:
    search_plan, done = grid(), list[Trial]()
    for number in (1, 2, 3):
        point = search.next_point(search_plan, 0, number, done)
        done.append(running(number, tuned=point))
    assert [trial.tuned["x"] for trial in done] == ["a", "b", "c"]


@pytest.mark.parametrize("strategy", ["Random", "Bayesian", "Hyperband"])
def test_no_point_is_tried_twice_and_the_same_seed_tries_the_same(strategy: str) -> None:
    limits = {"ResourceLimits": {"MaxNumberOfTrainingJobs": 6, "MaxParallelTrainingJobs": 1}}
    ranges = {
        "CategoricalParameterRanges": [{"Name": "x", "Values": ["a", "b", "c"]}],
        "IntegerParameterRanges": [{"Name": "y", "MinValue": "1", "MaxValue": "2"}],
    }
    search_plan = plan(Strategy=strategy, ParameterRanges=ranges, RandomSeed=7, **limits)

    def tried() -> list[tuple[str, ...]]:
        done: list[Trial] = []
        for number in range(1, 7):
            point = search.next_point(search_plan, 0, number, done)
            done.append(trial(number, float(number), tuned=point))
        return [tuple(trial.tuned.values()) for trial in done]

    assert tried() == tried()
    assert len(set(tried())) == 6


def test_a_bayesian_search_comes_closer_than_chance() -> None:
    def found(strategy: str) -> float:
        limits = {"ResourceLimits": {"MaxNumberOfTrainingJobs": 24, "MaxParallelTrainingJobs": 1}}
        search_plan, done = plan(Strategy=strategy, RandomSeed=3, **limits), list[Trial]()
        for number in range(1, 25):
            point = search.next_point(search_plan, 0, number, done)
            done.append(trial(number, (float(point["x"]) - 0.3) ** 2, tuned=point))
        late = [trial.objective for trial in done[12:] if trial.objective is not None]
        return sum(late) / len(late)

    assert found("Bayesian") < found("Random") / 2


def test_failed_and_running_trials_do_not_disturb_a_search() -> None:
    done = [trial(1, 0.5, tuned={"x": "0.5"}), trial(2, status="Failed", tuned={"x": "0.1"}), running(3)]
    point = search.next_point(plan(Strategy="Bayesian"), 0, 4, [*done, running(4, tuned={"z": "of another space"})])
    assert 0 <= float(point["x"]) <= 1


def test_a_range_with_hardly_a_number_in_it_is_searched_all_the_same() -> None:
    narrow = {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "1", "MaxValue": "1.0000000000000002"}]}
    search_plan, done = plan(ParameterRanges=narrow), list[Trial]()
    for number in range(1, 5):
        done.append(trial(number, 1.0, tuned=search.next_point(search_plan, 0, number, done)))
    assert {trial.tuned["x"] for trial in done} == {"1.0", "1.0000000000000002"}


def test_optuna_is_not_imported_before_a_search_needs_it() -> None:
    code = "import sys, pedigree.localaws.daemon; sys.exit('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=300).returncode == 0
