"""Which trials a search stops early, when it is over, and with which status."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pedigree.localaws.services.sagemaker.tuning import early_stopping as stopping
from pedigree.localaws.services.sagemaker.tuning import trials
from pedigree.localaws.services.sagemaker.tuning.decisions import EndSearch, StartTrial, StopTrial, next_actions
from pedigree.localaws.services.sagemaker.tuning.plan import Objective
from pedigree.localaws.services.sagemaker.tuning.ranges import Choice
from pedigree.localaws.services.sagemaker.tuning.trials import Trial
from tests.support.tuning_plans import grid, plan, running, trial

# Which trials are given up


def test_early_stopping_compares_with_the_median_of_running_averages() -> None:
    search = plan(TrainingJobEarlyStoppingType="Auto")
    ended = [trial(1, 1.0, 3.0, 9.0), trial(2, 2.0, 4.0), trial(3, 5.0, 5.0)]  # 2, 3 and 5 after two steps
    assert not stopping.is_hopeless(search, running(4, 9.0, 3.0), ended)
    assert stopping.is_hopeless(search, running(4, 0.0, 3.1), ended)
    assert not stopping.is_hopeless(search, running(4), ended)
    assert not stopping.is_hopeless(search, running(4, 0.0, 9.0), ended[:2])
    assert not stopping.is_hopeless(plan(), running(4, 0.0, 9.0), ended)


def test_early_stopping_knows_what_is_better() -> None:
    objective = {"Type": "Maximize", "MetricName": "loss"}
    search = plan(TrainingJobEarlyStoppingType="Auto", HyperParameterTuningJobObjective=objective)
    ended = [trial(number, 0.5) for number in (1, 2, 3)]
    assert stopping.is_hopeless(search, running(4, 0.4), ended)
    assert not stopping.is_hopeless(search, running(4, 0.6), ended)


def test_hyperband_lets_a_third_go_on_at_each_rung() -> None:
    search = plan(Strategy="Hyperband")
    rivals = [trial(number, float(number), float(number)) for number in range(1, 6)]
    assert not stopping.is_hopeless(search, running(6), rivals)
    assert not stopping.is_hopeless(search, running(6, 1.5), rivals)
    assert stopping.is_hopeless(search, running(6, 2.5), rivals)
    assert not stopping.is_hopeless(search, running(1, 9.0), [])


def test_hyperband_stops_what_goes_beyond_the_most() -> None:
    search = plan(Strategy="Hyperband")
    assert not stopping.is_hopeless(search, running(1, *[0.0] * 9), [])
    assert stopping.is_hopeless(search, running(1, *[0.0] * 10), [])


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
    assert next_actions(plan(), [], 0) == [StartTrial(1, 0), StartTrial(2, 0)]
    assert next_actions(plan(), [trial(1, 1.0), running(2)], 0) == [StartTrial(3, 0)]
    assert next_actions(plan(), [trial(1, 1.0), trial(2, 1.0), running(3), running(4)], 0) == []


def test_a_search_ends_when_all_its_trials_have() -> None:
    ended = [trial(number, 1.0) for number in (1, 2, 3)]
    assert next_actions(plan(), [*ended, trial(4, status="Failed")], 0) == [EndSearch("Completed")]


def test_a_search_without_a_single_value_has_failed() -> None:
    ended = [trial(number, status="Failed") for number in (1, 2, 3)]
    (end,) = next_actions(plan(), [*ended, trial(4)], 0)
    assert isinstance(end, EndSearch)
    assert (end.status, end.reason.split(".")[0]) == ("Failed", "All training jobs failed")


def test_a_search_that_is_stopped_stops_its_trials_first() -> None:
    trials = [running(1), running(2, is_given_up=True)]
    assert next_actions(plan(), trials, 0, is_stopping=True) == [StopTrial(trials[0])]
    assert next_actions(plan(), trials[1:], 0, is_stopping=True) == []
    assert next_actions(plan(), [trial(1, 1.0, status="Stopped")], 0, is_stopping=True) == [EndSearch("Stopped")]
    assert next_actions(plan(), [], 0, is_stopping=True) == [EndSearch("Stopped")]


def test_a_search_ends_when_its_time_is_up() -> None:
    limits = {"MaxRuntimeInSeconds": 120, "MaxParallelTrainingJobs": 2}
    search, trials = plan(ResourceLimits=limits), [trial(1, 1.0), running(2)]
    assert next_actions(search, trials, 119) == [StartTrial(3, 0)]
    assert next_actions(search, trials, 120) == [StopTrial(trials[1])]
    assert next_actions(search, trials[:1], 120) == [EndSearch("Completed")]


@pytest.mark.parametrize(("type_", "value", "is_over"), [("Minimize", 0.5, True), ("Maximize", 0.5, False)])
def test_a_search_ends_at_its_target(type_: str, value: float, is_over: bool) -> None:
    objective = {"Type": type_, "MetricName": "loss"}
    criteria = {"TargetObjectiveMetricValue": 0.6}
    search = plan(HyperParameterTuningJobObjective=objective, TuningJobCompletionCriteria=criteria)
    assert (next_actions(search, [trial(1, value)], 0) == [EndSearch("Completed")]) is is_over


def test_a_search_ends_when_it_gets_no_better() -> None:
    limits = {"MaxNumberOfTrainingJobs": 99, "MaxParallelTrainingJobs": 1}
    criteria = {"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}}
    search = plan(ResourceLimits=limits, TuningJobCompletionCriteria=criteria)
    done = [trial(number, value) for number, value in enumerate([1.0, 0.5, 0.6, 0.499, 0.7], start=1)]
    assert trials.not_improving(search, done) == 3
    assert next_actions(search, done, 0) == [EndSearch("Completed")]
    assert next_actions(search, done[:4], 0) == [StartTrial(5, 0)]


def test_definitions_take_turns_until_their_points_are_used_up() -> None:
    search = grid()
    small = replace(search.definitions[0], space=(Choice("x", ("a",)),))
    both = replace(search, definitions=(small, search.definitions[0]), trials=4, parallel=9)
    begun = next_actions(both, [], 0)
    assert [action.definition for action in begun if isinstance(action, StartTrial)] == [0, 1, 1, 1]


outcomes = st.lists(st.sampled_from(["Completed", "Failed", "Stopped"]), min_size=40, max_size=40)


@settings(max_examples=50)
@given(outcomes, st.integers(1, 20), st.integers(1, 6))
def test_every_search_comes_to_an_end_within_its_limits(ends: list[str], most: int, parallel: int) -> None:
    limits = {"MaxNumberOfTrainingJobs": most, "MaxParallelTrainingJobs": parallel}
    search, now = plan(ResourceLimits=limits), dict[int, Trial]()
    for step in itertools.count():
        actions = next_actions(search, list(now.values()), step)
        if any(isinstance(action, EndSearch) for action in actions):
            break
        now |= {action.number: running(action.number) for action in actions if isinstance(action, StartTrial)}
        waiting = [number for number, trial in now.items() if not trial.is_over]
        assert 1 <= len(waiting) <= parallel
        now[waiting[0]] = trial(waiting[0], 1.0, status=ends[waiting[0]])
    assert len(now) <= most
    assert all(trial.is_over for trial in now.values())


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


def test_a_trial_is_stored_with_all_its_members() -> None:
    stopped = trial(1, 0.5, 0.25, status="Stopped", is_given_up=True)
    assert trials.read(stopped.document()) == stopped


def test_a_name_fits_and_belongs_to_one_search() -> None:
    name = trials.job_name("s" * 32, "2026-01-01", 750)
    assert len(name) <= 63
    assert name == trials.job_name("s" * 32, "2026-01-01", 750) != trials.job_name("s" * 32, "2026-01-02", 750)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_less_loss_is_better_for_every_type_of_objective(one: float, other: float) -> None:
    most, least = Objective("m", "Maximize"), Objective("m", "Minimize")
    assert (most.loss(one) < most.loss(other)) == (one > other)
    assert (least.loss(one) < least.loss(other)) == (one < other)
    assert math.isfinite(most.loss(one))
