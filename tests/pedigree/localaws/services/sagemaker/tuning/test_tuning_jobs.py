"""Searches of the local AWS: trials are real training jobs, and go on where they were after a restart."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pedigree.localaws.daemon import LocalAws, Options
from pedigree.localaws.http.protocol.errors import ServiceError
from tests.support.images import images_file
from tests.support.local_aws import client
from tests.support.local_tuning import LETTERS, PATIENCE_SECONDS, STATUS, TOOLKIT, LocalTuning, definition, request


@pytest.fixture
def tuning(tmp_path: Path) -> Iterator[LocalTuning]:
    opened = LocalTuning(tmp_path)
    opened.open()
    yield opened
    opened.close()


@pytest.mark.parametrize("strategy", ["Random", "Bayesian"])
def test_a_search_tries_points_and_knows_the_best(tuning: LocalTuning, strategy: str) -> None:
    tuning.search(Strategy=strategy, trials=5)
    job = tuning.ended()
    trials = tuning.trials(SortBy="FinalObjectiveMetricValue")
    values = [trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for trial in trials]
    assert job[STATUS] == "Completed"
    assert (
        job["TrainingJobStatusCounters"]["Completed"] == job["ObjectiveStatusCounters"]["Succeeded"] == len(trials) == 5
    )
    assert values == sorted(values)
    assert job["BestTrainingJob"] == trials[0]
    assert [float(trial["TunedHyperParameters"]["x"]) for trial in trials] == values


def test_a_trial_is_a_training_job_of_the_search(tuning: LocalTuning) -> None:
    tuning.search(trials=1)
    job = tuning.ended()
    (trial,) = tuning.trials()
    assert re.fullmatch(r"search-001-[0-9a-f]{8}", trial["TrainingJobName"])
    training = tuning.ask("DescribeTrainingJob", {"TrainingJobName": trial["TrainingJobName"]})
    assert training["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    static = {"epochs": "9", "_tuning_objective_metric": "loss"}
    assert training["HyperParameters"] == {**static, **trial["TunedHyperParameters"]}
    assert set(trial["TunedHyperParameters"]) == {"x"}
    assert tuning.ask("ListTags", {"ResourceArn": trial["TrainingJobArn"]})["Tags"] == [
        {"Key": "team", "Value": "dogs"}
    ]


def test_a_grid_is_tried_whole(tuning: LocalTuning) -> None:
    tuning.search(Strategy="Grid", trials=None, ParameterRanges=LETTERS)
    tuning.ended()
    assert [trial["TunedHyperParameters"]["x"] for trial in tuning.trials()] == ["1", "2", "3", "4"]


def test_hyperband_ends_trials_that_are_behind(tuning: LocalTuning) -> None:
    script = "for step in 1 2 3; do echo loss=$(h x); done; sleep $(h x)00; echo loss=0"
    resource = {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 9}}
    ranges = {"CategoricalParameterRanges": [{"Name": "x", "Values": ["0", "3"]}]}
    tuning.search(script, Strategy="Hyperband", StrategyConfig=resource, ParameterRanges=ranges, trials=2)
    job = tuning.ended()
    by_value = {trial["TunedHyperParameters"]["x"]: trial for trial in tuning.trials()}
    assert job[STATUS] == "Completed"
    assert by_value["0"]["TrainingJobStatus"] == "Completed"
    assert (by_value["3"]["TrainingJobStatus"], by_value["3"]["ObjectiveStatus"]) == ("Stopped", "Succeeded")
    assert by_value["3"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 3
    assert job["TrainingJobStatusCounters"]["Stopped"] == 1


def test_early_stopping_ends_a_trial_that_is_worse_than_the_median(tuning: LocalTuning) -> None:
    script = 'echo loss=$(h x); test "$(h x)" != 4 || sleep 1000'
    stopping = {"TrainingJobEarlyStoppingType": "Auto"}
    tuning.search(script, Strategy="Grid", trials=None, parallel=1, ParameterRanges=LETTERS, **stopping)
    tuning.ended()
    statuses = [trial["TrainingJobStatus"] for trial in tuning.trials()]
    assert statuses == ["Completed", "Completed", "Completed", "Stopped"]


def test_trials_that_fail_or_tell_nothing_are_counted_and_not_best(tuning: LocalTuning) -> None:
    script = "case $(h x) in 1) echo loss=0; exit 3;; 2) echo loss=nan;; 3) true;; 4) echo loss=7;; esac"
    tuning.search(script, Strategy="Grid", trials=None, ParameterRanges=LETTERS)
    job = tuning.ended()
    counters = {"Completed": 3, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 1, "Stopped": 0}
    assert job[STATUS] == "Completed"
    assert job["TrainingJobStatusCounters"] == counters
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 1, "Pending": 0, "Failed": 3}
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"x": "4"}
    (failed,) = tuning.trials(StatusEquals="Failed")
    assert failed["FailureReason"] == "AlgorithmError: , exit code: 3"
    assert len(tuning.trials(SortBy="FinalObjectiveMetricValue")) == 1


def test_a_search_whose_trials_all_fail_has_failed(tuning: LocalTuning) -> None:
    tuning.search("exit 1", trials=3)
    job = tuning.ended()
    assert (job[STATUS], "BestTrainingJob" in job) == ("Failed", False)
    assert job["FailureReason"].startswith("All training jobs failed.")


def test_a_search_gives_up_when_nothing_succeeds(tuning: LocalTuning) -> None:
    tuning.search("exit 1", trials=50, parallel=1)
    assert tuning.ended()["FailureReason"].startswith("No training job succeeded after 5 attempts.")
    assert len(tuning.trials()) == 5


def test_a_trial_that_the_service_refuses_has_failed(tuning: LocalTuning) -> None:
    tuning.refusal = ServiceError("ResourceLimitExceeded", "no more instances")
    tuning.search(trials=1)
    assert tuning.ended()[STATUS] == "Failed"
    (trial,) = tuning.trials()
    assert (trial["TrainingJobStatus"], trial["FailureReason"]) == (
        "Failed",
        "ResourceLimitExceeded: no more instances",
    )


def test_a_search_is_stopped_with_its_trials(tuning: LocalTuning) -> None:
    tuning.search("echo loss=$(h x); sleep 1000", trials=10)
    tuning.until(lambda: len(tuning.trials(StatusEquals="InProgress")) == 2)
    tuning.ask("StopHyperParameterTuningJob", {"HyperParameterTuningJobName": "search"})
    job = tuning.ended()
    assert job[STATUS] == "Stopped"
    assert [trial["TrainingJobStatus"] for trial in tuning.trials()] == ["Stopped", "Stopped"]
    with pytest.raises(ServiceError, match="is in status Stopped"):
        tuning.ask("StopHyperParameterTuningJob", {"HyperParameterTuningJobName": "search"})


def test_a_search_ends_when_its_target_is_reached(tuning: LocalTuning) -> None:
    tuning.search(trials=50, parallel=1, TuningJobCompletionCriteria={"TargetObjectiveMetricValue": 1.0})
    assert tuning.ended()[STATUS] == "Completed"
    assert len(tuning.trials()) == 1


def test_several_definitions_take_turns_and_the_overall_best_is_described(tuning: LocalTuning) -> None:
    objective = {"Type": "Maximize", "MetricName": "loss"}
    first = definition(DefinitionName="first", TuningObjective=objective, HyperParameterRanges=LETTERS)
    second = definition("echo loss=9", DefinitionName="second", TuningObjective=objective, HyperParameterRanges=LETTERS)
    search_request = request(trials=4)
    config = {key: search_request["HyperParameterTuningJobConfig"][key] for key in ("Strategy", "ResourceLimits")}
    names = {"HyperParameterTuningJobName": "search", "HyperParameterTuningJobConfig": config}
    tuning.ask("CreateHyperParameterTuningJob", {**names, "TrainingJobDefinitions": [first, second]})
    job = tuning.ended()
    assert [trial["TrainingJobDefinitionName"] for trial in tuning.trials()] == ["first", "second"] * 2
    assert job["BestTrainingJob"]["TrainingJobDefinitionName"] == "second"
    assert job["OverallBestTrainingJob"] == {**job["BestTrainingJob"], "TuningJobName": "search"}


def test_a_search_that_repeats_another_tries_other_points(tuning: LocalTuning) -> None:
    tuning.search(trials=3, ParameterRanges=LETTERS)
    tuning.ended()
    again = {**request(trials=1, ParameterRanges=LETTERS), "HyperParameterTuningJobName": "again"}
    parents = [{"HyperParameterTuningJobName": "search"}]
    warm = {"WarmStartType": "IdenticalDataAndAlgorithm", "ParentHyperParameterTuningJobs": parents}
    tuning.ask("CreateHyperParameterTuningJob", {**again, "WarmStartConfig": warm})
    name = {"HyperParameterTuningJobName": "again"}
    tuning.until(lambda: tuning.ask("DescribeHyperParameterTuningJob", name)[STATUS] == "Completed")
    job = tuning.ask("DescribeHyperParameterTuningJob", name)
    tried = [trial["TunedHyperParameters"]["x"] for trial in [*tuning.trials(), job["BestTrainingJob"]]]
    assert sorted(tried) == ["1", "2", "3", "4"]
    assert job["OverallBestTrainingJob"]["TunedHyperParameters"] == {"x": "1"}


def test_searches_are_listed_page_by_page_and_forgotten_when_deleted(tuning: LocalTuning) -> None:
    for name in ("b", "a"):
        tuning.ask("CreateHyperParameterTuningJob", {**request(trials=1), "HyperParameterTuningJobName": name})
    ended = {"StatusEquals": "Completed"}
    tuning.until(
        lambda: len(tuning.ask("ListHyperParameterTuningJobs", ended)["HyperParameterTuningJobSummaries"]) == 2
    )
    page = tuning.ask("ListHyperParameterTuningJobs", {"MaxResults": 1})
    (first,) = page["HyperParameterTuningJobSummaries"]
    assert (first["HyperParameterTuningJobName"], first["Strategy"]) == ("a", "Random")
    assert first["ObjectiveStatusCounters"]["Succeeded"] == 1
    rest = tuning.ask("ListHyperParameterTuningJobs", {"MaxResults": 1, "NextToken": page["NextToken"]})
    assert [trial["HyperParameterTuningJobName"] for trial in rest["HyperParameterTuningJobSummaries"]] == ["b"]
    tuning.ask("DeleteHyperParameterTuningJob", {"HyperParameterTuningJobName": "a"})
    with pytest.raises(ServiceError, match="find a tuning job") as raised:
        tuning.ask("DescribeHyperParameterTuningJob", {"HyperParameterTuningJobName": "a"})
    assert raised.value.code == "ResourceNotFound"


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalAws]:
    """A daemon whose images have this toolkit."""
    train = tmp_path / "container" / "bin" / "train"
    train.parent.mkdir(parents=True)
    train.write_text("#!/bin/sh\nexec " + shlex.join(TOOLKIT))
    train.chmod(0o755)
    (train.parent / "python").symlink_to(sys.executable)
    images = images_file(tmp_path, tmp_path / "container")
    started = LocalAws(Options(tmp_path / "state", images=images, enforces_iam=False))
    started.start()
    yield started
    started.stop()


def test_the_daemon_answers_an_unmodified_client(local: LocalAws) -> None:
    s3, sagemaker = (client(local.url, name, local.key) for name in ("s3", "sagemaker"))
    s3.create_bucket(Bucket="bucket")
    sagemaker.create_hyper_parameter_tuning_job(**request(trials=2))
    name = {"HyperParameterTuningJobName": "search"}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (job := sagemaker.describe_hyper_parameter_tuning_job(**name))[STATUS] == "InProgress":
        assert time.monotonic() < deadline, job
        local.world.signal.wait(0.1)
    order = {"SortBy": "FinalObjectiveMetricValue", "SortOrder": "Ascending", "MaxResults": 1}
    listed = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(**name, **order)
    assert listed["TrainingJobSummaries"] == [job["BestTrainingJob"]]


# Searches until two trials have ended and a third runs; says so, and stays until it is killed.
DAEMON = """
import sys, threading
from pathlib import Path
from tests.support.local_tuning import LocalTuning
tuning = LocalTuning(Path(sys.argv[1]))
tuning.open()
tuning.search(sys.argv[2], parallel=1)
tuning.until(lambda: len(tuning.trials(StatusEquals="Completed")) == 2 and len(tuning.trials()) == 3)
tuning.until(lambda: len(Path(sys.argv[3]).read_text().split()) == 3)
print("ready", flush=True)
threading.Event().wait(300)
"""


def test_a_search_continues_after_the_daemon_was_killed(tmp_path: Path) -> None:
    runs = tmp_path / "outside" / "runs"
    script = f"echo $TRAINING_JOB_NAME >> {runs}; echo loss=$(h x); test $(wc -l < {runs}) != 3 || sleep 1000"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[6])}
    command = [sys.executable, "-c", DAEMON, str(tmp_path), script, str(runs)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as daemon:
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == "ready\n"
        daemon.kill()
    again = LocalTuning(tmp_path)
    before = again.trials()
    again.open()
    job = again.ended()
    after = again.trials()
    again.close()
    assert job[STATUS] == "Completed"
    assert after[:2] == before[:2]
    ran = runs.read_text().split()
    assert ran == [trial["TrainingJobName"] for trial in (after[0], after[1], after[2], after[2], after[3])]


def test_a_search_continues_after_the_daemon_was_stopped(tmp_path: Path) -> None:
    begun = tmp_path / "outside" / "begun"
    first = LocalTuning(tmp_path)
    first.open()
    first.search(f"echo loss=$(h x); test -e {begun} || {{ touch {begun}; sleep 1000; }}", trials=2, parallel=1)
    first.until(begun.exists)
    first.close()
    again = LocalTuning(tmp_path)
    again.open()
    job = again.ended()
    again.close()
    assert job["TrainingJobStatusCounters"]["Completed"] == 2


def test_the_same_seed_tries_the_same_points(tmp_path: Path) -> None:
    tried = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        tuning = LocalTuning(tmp_path / name)
        tuning.open()
        tuning.search(trials=4, parallel=1, Strategy="Bayesian")
        tuning.ended()
        tried.append([trial["TunedHyperParameters"] for trial in tuning.trials()])
        tuning.close()
    assert tried[0] == tried[1]
