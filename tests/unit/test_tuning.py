"""What a search is, which points it tries, which trials it gives up, and when it is over."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localaws.protocol.errors import ServiceError
from localaws.tuning import search, stopping, trials
from localaws.tuning.decisions import Begin, End, GiveUp, next_actions
from localaws.tuning.plan import Objective, Plan, plan_of
from localaws.tuning.ranges import Choice, Dimension, Span, combinations, dimensions, points
from localaws.tuning.trials import Trial

LETTERS = {"CategoricalParameterRanges": [{"Name": "x", "Values": ["a", "b", "c"]}]}


def request(**changes: Any) -> dict[str, Any]:
    config = {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
        "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "1"}]},
        **changes.pop("config", {}),
    }
    definition = {
        "AlgorithmSpecification": {"MetricDefinitions": [{"Name": "loss", "Regex": "."}]},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "StaticHyperParameters": {"epochs": "9"},
        **changes.pop("definition", {}),
    }
    name = {"HyperParameterTuningJobName": "search"}
    return {**name, "HyperParameterTuningJobConfig": config, "TrainingJobDefinition": definition, **changes}


def plan(**config: Any) -> Plan:
    return plan_of(request(config=config))


def trial(number: int, *told: float, status: str = "Completed", **members: Any) -> Trial:
    objective = told[-1] if told and status in ("Completed", "Stopped") else None
    known: dict[str, Any] = {"status": status, "series": told, "objective": objective, "ended": f"{number:03d}"}
    known |= {"tuned": {"x": str(number)}, "created": "now", "job": f"search-{number}"}
    return Trial(number, 0, **{**known, **members})


def running(number: int, *told: float, **members: Any) -> Trial:
    return trial(number, *told, status="InProgress", **members)


def grid(**config: Any) -> Plan:
    limits = {"ResourceLimits": {"MaxParallelTrainingJobs": 2}}
    return plan(**{"Strategy": "Grid", "ParameterRanges": LETTERS, **limits, **config})


# Ranges


def span(low: str, high: str, scale: str = "Auto", kind: str = "Continuous") -> Dimension:
    one = {"Name": "x", "MinValue": low, "MaxValue": high, "ScalingType": scale}
    return dimensions({f"{kind}ParameterRanges": [one]})[0]


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
    ("low", "high", "scale", "kind", "told"),
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
def test_a_range_that_is_none_is_refused(low: str, high: str, scale: str, kind: str, told: str) -> None:
    with pytest.raises(ServiceError, match=told) as raised:
        span(low, high, scale, kind)
    assert raised.value.code == "ValidationException"


bounds = st.tuples(st.floats(1e-6, 0.99), st.floats(1e-6, 0.99)).filter(lambda pair: pair[0] < pair[1]).map(sorted)


@given(bounds, st.sampled_from(["Linear", "Logarithmic", "ReverseLogarithmic"]), st.floats(0, 1))
def test_a_position_is_a_value_of_the_range_and_back(limits: list[float], scale: str, share: float) -> None:
    one = Span("x", limits[0], limits[1], scale)
    low, high = one.bounds
    position = low + share * (high - low)
    text = one.text(position)
    assert one.holds(text)
    assert low <= one.position(text) <= high
    assert one.position(text) == pytest.approx(position, abs=1e-9)


@given(st.integers(-(2**40), 2**40), st.integers(1, 2**20), st.floats(0, 1))
def test_a_whole_number_stays_one(low: int, width: int, share: float) -> None:
    one = Span("x", low, low + width, is_whole=True)
    text = one.text(low + share * width)
    assert low <= int(text) <= low + width
    assert one.text(one.position(text)) == text


def test_a_finite_space_has_each_point_once() -> None:
    space = (Choice("a", ("x", "y")), Span("b", 1, 3, is_whole=True))
    every = [tuple(point.items()) for point in points(space)]
    assert len(set(every)) == len(every) == combinations(space) == 6
    assert every[0] == (("a", "x"), ("b", "1"))


# Requests


@pytest.mark.parametrize(
    ("changes", "told"),
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
def test_a_search_that_cannot_be_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ServiceError, match=told) as raised:
        plan_of(request(**changes))
    assert raised.value.code == "ValidationException"


@pytest.mark.parametrize("limits", [{"MaxNumberOfTrainingJobs": 751}, {"MaxParallelTrainingJobs": 101}])
def test_a_search_that_is_too_large_is_refused(limits: dict[str, int]) -> None:
    usual = {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2}
    with pytest.raises(ServiceError, match="service limit") as raised:
        plan(ResourceLimits={**usual, **limits})
    assert raised.value.code == "ResourceLimitExceeded"


def test_hyperband_takes_its_most_from_the_epochs() -> None:
    assert plan(Strategy="Hyperband").resource == (1, 9)


def test_a_trial_is_told_what_is_fixed_what_is_tuned_and_what_it_is_compared_by() -> None:
    asked = plan().definitions[0].request("job", {"x": "0.5"})
    assert asked["HyperParameters"] == {"epochs": "9", "x": "0.5", "_tuning_objective_metric": "loss"}
    assert (asked["TrainingJobName"], "StaticHyperParameters" in asked) == ("job", False)


def test_of_several_machines_that_would_do_the_first_is_taken() -> None:
    machines = {"InstanceType": "ml.g5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 5}
    flexible = {"AllocationStrategy": "Prioritized", "InstanceConfigs": [machines, {}]}
    asked = plan_of(request(definition={"HyperParameterTuningResourceConfig": flexible}))
    assert asked.definitions[0].request("job", {})["ResourceConfig"] == machines


def test_without_a_seed_the_name_is_one() -> None:
    assert plan() == plan()
    other = plan_of({**request(), "HyperParameterTuningJobName": "other"})
    assert other.seed != plan().seed


# Which point is next


def test_a_grid_goes_through_all_points_in_order() -> None:
    asked, done = grid(), list[Trial]()
    for number in (1, 2, 3):
        point = search.next_point(asked, 0, number, done)
        done.append(running(number, tuned=point))
    assert [one.tuned["x"] for one in done] == ["a", "b", "c"]


@pytest.mark.parametrize("strategy", ["Random", "Bayesian", "Hyperband"])
def test_no_point_is_tried_twice_and_the_same_seed_tries_the_same(strategy: str) -> None:
    limits = {"ResourceLimits": {"MaxNumberOfTrainingJobs": 6, "MaxParallelTrainingJobs": 1}}
    ranges = {
        "CategoricalParameterRanges": [{"Name": "x", "Values": ["a", "b", "c"]}],
        "IntegerParameterRanges": [{"Name": "y", "MinValue": "1", "MaxValue": "2"}],
    }
    asked = plan(Strategy=strategy, ParameterRanges=ranges, RandomSeed=7, **limits)

    def tried() -> list[tuple[str, ...]]:
        done: list[Trial] = []
        for number in range(1, 7):
            point = search.next_point(asked, 0, number, done)
            done.append(trial(number, float(number), tuned=point))
        return [tuple(one.tuned.values()) for one in done]

    assert tried() == tried()
    assert len(set(tried())) == 6


def test_a_bayesian_search_comes_closer_than_chance() -> None:
    def found(strategy: str) -> float:
        limits = {"ResourceLimits": {"MaxNumberOfTrainingJobs": 24, "MaxParallelTrainingJobs": 1}}
        asked, done = plan(Strategy=strategy, RandomSeed=3, **limits), list[Trial]()
        for number in range(1, 25):
            point = search.next_point(asked, 0, number, done)
            done.append(trial(number, (float(point["x"]) - 0.3) ** 2, tuned=point))
        late = [one.objective for one in done[12:] if one.objective is not None]
        return sum(late) / len(late)

    assert found("Bayesian") < found("Random") / 2


def test_failed_and_running_trials_do_not_disturb_a_search() -> None:
    done = [trial(1, 0.5, tuned={"x": "0.5"}), trial(2, status="Failed", tuned={"x": "0.1"}), running(3)]
    point = search.next_point(plan(Strategy="Bayesian"), 0, 4, [*done, running(4, tuned={"z": "of another space"})])
    assert 0 <= float(point["x"]) <= 1


def test_a_range_with_hardly_a_number_in_it_is_searched_all_the_same() -> None:
    narrow = {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "1", "MaxValue": "1.0000000000000002"}]}
    asked, done = plan(ParameterRanges=narrow), list[Trial]()
    for number in range(1, 5):
        done.append(trial(number, 1.0, tuned=search.next_point(asked, 0, number, done)))
    assert {one.tuned["x"] for one in done} == {"1.0", "1.0000000000000002"}


def test_optuna_is_not_imported_before_a_search_needs_it() -> None:
    told = "import sys, localaws.daemon; sys.exit('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", told], check=False, timeout=60).returncode == 0


# Which trials are given up


def test_early_stopping_compares_with_the_median_of_running_averages() -> None:
    asked = plan(TrainingJobEarlyStoppingType="Auto")
    ended = [trial(1, 1.0, 3.0, 9.0), trial(2, 2.0, 4.0), trial(3, 5.0, 5.0)]  # 2, 3 and 5 after two steps
    assert not stopping.is_hopeless(asked, running(4, 9.0, 3.0), ended)
    assert stopping.is_hopeless(asked, running(4, 0.0, 3.1), ended)
    assert not stopping.is_hopeless(asked, running(4), ended)
    assert not stopping.is_hopeless(asked, running(4, 0.0, 9.0), ended[:2])
    assert not stopping.is_hopeless(plan(), running(4, 0.0, 9.0), ended)


def test_early_stopping_knows_what_is_better() -> None:
    objective = {"Type": "Maximize", "MetricName": "loss"}
    asked = plan(TrainingJobEarlyStoppingType="Auto", HyperParameterTuningJobObjective=objective)
    ended = [trial(number, 0.5) for number in (1, 2, 3)]
    assert stopping.is_hopeless(asked, running(4, 0.4), ended)
    assert not stopping.is_hopeless(asked, running(4, 0.6), ended)


def test_hyperband_lets_a_third_go_on_at_each_rung() -> None:
    asked = plan(Strategy="Hyperband")
    rivals = [trial(number, float(number), float(number)) for number in range(1, 6)]
    assert not stopping.is_hopeless(asked, running(6), rivals)
    assert not stopping.is_hopeless(asked, running(6, 1.5), rivals)
    assert stopping.is_hopeless(asked, running(6, 2.5), rivals)
    assert not stopping.is_hopeless(asked, running(1, 9.0), [])


def test_hyperband_stops_what_goes_beyond_the_most() -> None:
    asked = plan(Strategy="Hyperband")
    assert not stopping.is_hopeless(asked, running(1, *[0.0] * 9), [])
    assert stopping.is_hopeless(asked, running(1, *[0.0] * 10), [])


def test_hyperband_compares_later_in_later_brackets_and_never_below_the_least() -> None:
    assert [stopping.rungs((2, 20), index) for index in range(4)] == [[2, 6, 18], [6, 18], [18], []]
    counts = Counter(stopping.bracket((1, 9), number) for number in range(1, 18))
    assert counts == {0: 9, 1: 5, 2: 3}


@given(st.integers(1, 50), st.integers(0, 200), st.integers(1, 750))
def test_every_trial_has_a_bracket_whose_rungs_are_within_the_resource(least: int, more: int, number: int) -> None:
    resource = (least, least + more)
    rungs = stopping.rungs(resource, stopping.bracket(resource, number))
    assert all(least <= rung < least + more for rung in rungs)
    assert rungs == sorted(set(rungs))


# What follows


def test_as_many_trials_run_as_may() -> None:
    assert next_actions(plan(), [], 0) == [Begin(1, 0), Begin(2, 0)]
    assert next_actions(plan(), [trial(1, 1.0), running(2)], 0) == [Begin(3, 0)]
    assert next_actions(plan(), [trial(1, 1.0), trial(2, 1.0), running(3), running(4)], 0) == []


def test_a_search_ends_when_all_its_trials_have() -> None:
    ended = [trial(number, 1.0) for number in (1, 2, 3)]
    assert next_actions(plan(), [*ended, trial(4, status="Failed")], 0) == [End("Completed")]


def test_a_search_without_a_single_value_has_failed() -> None:
    ended = [trial(number, status="Failed") for number in (1, 2, 3)]
    (end,) = next_actions(plan(), [*ended, trial(4)], 0)
    assert isinstance(end, End)
    assert (end.status, end.reason.split(".")[0]) == ("Failed", "All training jobs failed")


def test_a_search_that_is_stopped_stops_its_trials_first() -> None:
    trials = [running(1), running(2, is_given_up=True)]
    assert next_actions(plan(), trials, 0, is_stopping=True) == [GiveUp(trials[0])]
    assert next_actions(plan(), trials[1:], 0, is_stopping=True) == []
    assert next_actions(plan(), [trial(1, 1.0, status="Stopped")], 0, is_stopping=True) == [End("Stopped")]
    assert next_actions(plan(), [], 0, is_stopping=True) == [End("Stopped")]


def test_a_search_ends_when_its_time_is_up() -> None:
    limits = {"MaxRuntimeInSeconds": 120, "MaxParallelTrainingJobs": 2}
    asked, trials = plan(ResourceLimits=limits), [trial(1, 1.0), running(2)]
    assert next_actions(asked, trials, 119) == [Begin(3, 0)]
    assert next_actions(asked, trials, 120) == [GiveUp(trials[1])]
    assert next_actions(asked, trials[:1], 120) == [End("Completed")]


@pytest.mark.parametrize(("type_", "value", "is_over"), [("Minimize", 0.5, True), ("Maximize", 0.5, False)])
def test_a_search_ends_at_its_target(type_: str, value: float, is_over: bool) -> None:
    objective = {"Type": type_, "MetricName": "loss"}
    criteria = {"TargetObjectiveMetricValue": 0.6}
    asked = plan(HyperParameterTuningJobObjective=objective, TuningJobCompletionCriteria=criteria)
    assert (next_actions(asked, [trial(1, value)], 0) == [End("Completed")]) is is_over


def test_a_search_ends_when_it_gets_no_better() -> None:
    limits = {"MaxNumberOfTrainingJobs": 99, "MaxParallelTrainingJobs": 1}
    criteria = {"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}}
    asked = plan(ResourceLimits=limits, TuningJobCompletionCriteria=criteria)
    done = [trial(number, value) for number, value in enumerate([1.0, 0.5, 0.6, 0.499, 0.7], start=1)]
    assert trials.not_improving(asked, done) == 3
    assert next_actions(asked, done, 0) == [End("Completed")]
    assert next_actions(asked, done[:4], 0) == [Begin(5, 0)]


def test_definitions_take_turns_until_their_points_are_used_up() -> None:
    asked = grid()
    small = replace(asked.definitions[0], space=(Choice("x", ("a",)),))
    both = replace(asked, definitions=(small, asked.definitions[0]), trials=4, parallel=9)
    begun = next_actions(both, [], 0)
    assert [one.definition for one in begun if isinstance(one, Begin)] == [0, 1, 1, 1]


outcomes = st.lists(st.sampled_from(["Completed", "Failed", "Stopped"]), min_size=40, max_size=40)


@settings(max_examples=50)
@given(outcomes, st.integers(1, 20), st.integers(1, 6))
def test_every_search_comes_to_an_end_within_its_limits(ends: list[str], most: int, parallel: int) -> None:
    limits = {"MaxNumberOfTrainingJobs": most, "MaxParallelTrainingJobs": parallel}
    asked, now = plan(ResourceLimits=limits), dict[int, Trial]()
    for step in itertools.count():
        actions = next_actions(asked, list(now.values()), step)
        if any(isinstance(one, End) for one in actions):
            break
        now |= {one.number: running(one.number) for one in actions if isinstance(one, Begin)}
        waiting = [number for number, one in now.items() if not one.is_over]
        assert 1 <= len(waiting) <= parallel
        now[waiting[0]] = trial(waiting[0], 1.0, status=ends[waiting[0]])
    assert len(now) <= most
    assert all(one.is_over for one in now.values())


# What became of them


def test_the_best_is_the_earlier_of_two_that_are_equal() -> None:
    done = [trial(1, 3.0), trial(2, 1.0), trial(3, 1.0), trial(4, status="Failed"), running(5, 0.0)]
    assert trials.best(plan(), done) == done[1]
    objective = {"Type": "Maximize", "MetricName": "loss"}
    assert trials.best(plan(HyperParameterTuningJobObjective=objective), done) == done[0]
    assert trials.best(plan(), done[3:]) is None


def test_trials_are_counted_by_status_and_by_objective() -> None:
    every = [
        trial(1, 1.0),
        trial(2),
        trial(3, 1.0, status="Stopped"),
        trial(4, status="Failed", reason="AlgorithmError: x"),
        trial(5, status="Failed", reason="InternalServerError: x"),
        running(6),
        trial(7, status="Stopping"),
    ]
    assert trials.counters(every) == {
        "TrainingJobStatusCounters": {
            "Completed": 2,
            "InProgress": 2,
            "RetryableError": 1,
            "NonRetryableError": 1,
            "Stopped": 1,
        },
        "ObjectiveStatusCounters": {"Succeeded": 2, "Pending": 2, "Failed": 3},
    }


def test_a_stopped_job_that_lost_its_values_keeps_those_it_was_given_up_by() -> None:
    given_up = running(1, 3.0, 2.0, is_given_up=True)
    assert trials.followed(given_up, {"TrainingJobStatus": "Stopped"}, "loss", ()).objective == 2.0


def test_a_trial_is_kept_whole() -> None:
    one = trial(1, 0.5, 0.25, status="Stopped", is_given_up=True)
    assert trials.read(one.document()) == one


def test_a_name_fits_and_belongs_to_one_search() -> None:
    name = trials.job_name("s" * 32, "2026-01-01", 750)
    assert len(name) <= 63
    assert name == trials.job_name("s" * 32, "2026-01-01", 750) != trials.job_name("s" * 32, "2026-01-02", 750)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_less_loss_is_better_whatever_is_asked_for(one: float, other: float) -> None:
    most, least = Objective("m", "Maximize"), Objective("m", "Minimize")
    assert (most.loss(one) < most.loss(other)) == (one > other)
    assert (least.loss(one) < least.loss(other)) == (one < other)
    assert math.isfinite(most.loss(one))
