"""Searches of the local AWS: trials are real training jobs, and go on where they were after a restart."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from pedigree.localaws.daemon import LocalAws, Options
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.store import Store
from pedigree.localaws.kernel.world import SystemClock, World
from pedigree.localaws.services.logs.streams import LogFiles
from pedigree.localaws.services.s3.blob_store import BlobStore
from pedigree.localaws.services.s3.catalog import ObjectCatalog
from pedigree.localaws.services.sagemaker.jobs import operations as job_handlers
from pedigree.localaws.services.sagemaker.jobs.work import Jobs, Machine
from pedigree.localaws.services.sagemaker.resources import tags
from pedigree.localaws.services.sagemaker.resources.service import Service, joined
from pedigree.localaws.services.sagemaker.tuning.operations import TuningHandlers
from pedigree.localaws.services.sagemaker.tuning.trainings import Trainings
from pedigree.localaws.services.sagemaker.tuning.tuner import Tuner

ROLE = "arn:aws:iam::000000000000:role/job"
PATIENCE_SECONDS = 60
STATUS = "HyperParameterTuningJobStatus"
# Runs the line of shell that the environment holds; h reads a hyperparameter.
TOOLKIT = (
    "/bin/sh",
    "-c",
    """h() { sed -n 's/.*"'$1'": "\\([^"]*\\)".*/\\1/p' $SAGEMAKER_BASE_DIR/input/config/hyperparameters.json; }
    eval "$SCRIPT" """,
)
SHOW = "echo loss=$(h x)"
CONTINUOUS = {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0.001", "MaxValue": "1"}]}
LETTERS = {"CategoricalParameterRanges": [{"Name": "x", "Values": ["1", "2", "3", "4"]}]}


class Shop:
    """A local AWS that searches."""

    def __init__(self, folder: Path) -> None:
        store, clock = Store(folder / "state.sqlite"), SystemClock()
        catalog = ObjectCatalog(store, BlobStore(folder / "blobs"), clock)
        catalog.make_bucket("bucket")
        self.world = World("000000000000", "us-east-1", folder, store, catalog, clock)
        machine = Machine({"PATH": os.environ["PATH"]}, cores=4)
        self.jobs = Jobs(self.world, catalog, machine, LogFiles(folder / "logs", clock))
        self.training = job_handlers.training(self.jobs, TOOLKIT)
        self.refusal: ServiceError | None = None
        self.tuner = Tuner(self.world, Trainings(self.world, self._begun, self.training.series))
        tables = [self.training.table(), TuningHandlers(self.tuner).table(), tags.HANDLERS]
        self.service = Service(self.world, joined(tables))

    def open(self) -> None:
        """Take up what was running."""
        self.jobs.resume(self.training.kind)
        self.tuner.begin()

    def close(self) -> None:
        """Stop, as the daemon does."""
        self.tuner.end()
        self.jobs.end_all()

    def ask(self, operation: str, request: Any) -> dict[str, Any]:
        return self.service.answer(operation, dict(request))

    def _begun(self, operation: str, request: Any) -> dict[str, Any]:
        if self.refusal:
            raise self.refusal
        return self.ask(operation, request)

    def search(self, script: str = SHOW, **changes: Any) -> None:
        self.ask("CreateHyperParameterTuningJob", request(script, **changes))

    def described(self) -> dict[str, Any]:
        return self.ask("DescribeHyperParameterTuningJob", {"HyperParameterTuningJobName": "search"})

    def trials(self, **asked: Any) -> list[dict[str, Any]]:
        every = {"HyperParameterTuningJobName": "search", "MaxResults": 100, **asked}
        summaries: list[dict[str, Any]] = self.ask("ListTrainingJobsForHyperParameterTuningJob", every)[
            "TrainingJobSummaries"
        ]
        return summaries

    def until(self, look: Callable[[], Any]) -> Any:
        """What is seen, once it is something."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if seen := look():
                return seen
            self.world.signal.wait(0.1)
        raise AssertionError(f"never seen; {self.described()} {self.trials()}")

    def ended(self) -> dict[str, Any]:
        """What is described once the search has ended."""
        self.until(lambda: self.described()[STATUS] in ("Completed", "Failed", "Stopped"))
        return self.described()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    opened = Shop(tmp_path)
    opened.open()
    yield opened
    opened.close()


def definition(script: str = SHOW, **changes: Any) -> dict[str, Any]:
    return {
        "StaticHyperParameters": {"epochs": "9"},
        "AlgorithmSpecification": {
            "TrainingImage": "image",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}],
        },
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "Environment": {"SCRIPT": script},
        **changes,
    }


def request(script: str = SHOW, trials: int | None = 4, parallel: int = 2, **changes: Any) -> dict[str, Any]:
    most = {} if trials is None else {"MaxNumberOfTrainingJobs": trials}
    config = {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
        "ResourceLimits": {"MaxParallelTrainingJobs": parallel, **most},
        "ParameterRanges": CONTINUOUS,
        "RandomSeed": 1,
        **changes,
    }
    return {
        "HyperParameterTuningJobName": "search",
        "HyperParameterTuningJobConfig": config,
        "TrainingJobDefinition": definition(script),
        "Tags": [{"Key": "team", "Value": "dogs"}],
    }


@pytest.mark.parametrize("strategy", ["Random", "Bayesian"])
def test_a_search_tries_points_and_knows_the_best(shop: Shop, strategy: str) -> None:
    shop.search(Strategy=strategy, trials=5)
    job = shop.ended()
    trials = shop.trials(SortBy="FinalObjectiveMetricValue")
    values = [one["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for one in trials]
    assert job[STATUS] == "Completed"
    assert (
        job["TrainingJobStatusCounters"]["Completed"] == job["ObjectiveStatusCounters"]["Succeeded"] == len(trials) == 5
    )
    assert values == sorted(values)
    assert job["BestTrainingJob"] == trials[0]
    assert [float(one["TunedHyperParameters"]["x"]) for one in trials] == values


def test_a_trial_is_a_training_job_of_the_search(shop: Shop) -> None:
    shop.search(trials=1)
    job = shop.ended()
    (trial,) = shop.trials()
    assert re.fullmatch(r"search-001-[0-9a-f]{8}", trial["TrainingJobName"])
    training = shop.ask("DescribeTrainingJob", {"TrainingJobName": trial["TrainingJobName"]})
    assert training["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    told = {"epochs": "9", "_tuning_objective_metric": "loss"}
    assert training["HyperParameters"] == {**told, **trial["TunedHyperParameters"]}
    assert set(trial["TunedHyperParameters"]) == {"x"}
    assert shop.ask("ListTags", {"ResourceArn": trial["TrainingJobArn"]})["Tags"] == [{"Key": "team", "Value": "dogs"}]


def test_a_grid_is_tried_whole(shop: Shop) -> None:
    shop.search(Strategy="Grid", trials=None, ParameterRanges=LETTERS)
    shop.ended()
    assert [one["TunedHyperParameters"]["x"] for one in shop.trials()] == ["1", "2", "3", "4"]


def test_hyperband_ends_trials_that_are_behind(shop: Shop) -> None:
    script = "for step in 1 2 3; do echo loss=$(h x); done; sleep $(h x)00; echo loss=0"
    resource = {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 9}}
    ranges = {"CategoricalParameterRanges": [{"Name": "x", "Values": ["0", "3"]}]}
    shop.search(script, Strategy="Hyperband", StrategyConfig=resource, ParameterRanges=ranges, trials=2)
    job = shop.ended()
    by_value = {one["TunedHyperParameters"]["x"]: one for one in shop.trials()}
    assert job[STATUS] == "Completed"
    assert by_value["0"]["TrainingJobStatus"] == "Completed"
    assert (by_value["3"]["TrainingJobStatus"], by_value["3"]["ObjectiveStatus"]) == ("Stopped", "Succeeded")
    assert by_value["3"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 3
    assert job["TrainingJobStatusCounters"]["Stopped"] == 1


def test_early_stopping_ends_a_trial_that_is_worse_than_the_median(shop: Shop) -> None:
    script = 'echo loss=$(h x); test "$(h x)" != 4 || sleep 1000'
    stopping = {"TrainingJobEarlyStoppingType": "Auto"}
    shop.search(script, Strategy="Grid", trials=None, parallel=1, ParameterRanges=LETTERS, **stopping)
    shop.ended()
    statuses = [one["TrainingJobStatus"] for one in shop.trials()]
    assert statuses == ["Completed", "Completed", "Completed", "Stopped"]


def test_trials_that_fail_or_tell_nothing_are_counted_and_not_best(shop: Shop) -> None:
    script = "case $(h x) in 1) echo loss=0; exit 3;; 2) echo loss=nan;; 3) true;; 4) echo loss=7;; esac"
    shop.search(script, Strategy="Grid", trials=None, ParameterRanges=LETTERS)
    job = shop.ended()
    counters = {"Completed": 3, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 1, "Stopped": 0}
    assert job[STATUS] == "Completed"
    assert job["TrainingJobStatusCounters"] == counters
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 1, "Pending": 0, "Failed": 3}
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"x": "4"}
    (failed,) = shop.trials(StatusEquals="Failed")
    assert failed["FailureReason"] == "AlgorithmError: See job logs for more information, exit code: 3"
    assert len(shop.trials(SortBy="FinalObjectiveMetricValue")) == 1


def test_a_search_whose_trials_all_fail_has_failed(shop: Shop) -> None:
    shop.search("exit 1", trials=3)
    job = shop.ended()
    assert (job[STATUS], "BestTrainingJob" in job) == ("Failed", False)
    assert job["FailureReason"].startswith("All training jobs failed.")


def test_a_search_gives_up_when_nothing_succeeds(shop: Shop) -> None:
    shop.search("exit 1", trials=50, parallel=1)
    assert shop.ended()["FailureReason"].startswith("No training job succeeded after 5 attempts.")
    assert len(shop.trials()) == 5


def test_a_trial_that_the_service_refuses_has_failed(shop: Shop) -> None:
    shop.refusal = ServiceError("ResourceLimitExceeded", "no more instances")
    shop.search(trials=1)
    assert shop.ended()[STATUS] == "Failed"
    (trial,) = shop.trials()
    assert (trial["TrainingJobStatus"], trial["FailureReason"]) == (
        "Failed",
        "ResourceLimitExceeded: no more instances",
    )


def test_a_search_is_stopped_with_its_trials(shop: Shop) -> None:
    shop.search("echo loss=$(h x); sleep 1000", trials=10)
    shop.until(lambda: len(shop.trials(StatusEquals="InProgress")) == 2)
    shop.ask("StopHyperParameterTuningJob", {"HyperParameterTuningJobName": "search"})
    job = shop.ended()
    assert job[STATUS] == "Stopped"
    assert [one["TrainingJobStatus"] for one in shop.trials()] == ["Stopped", "Stopped"]
    with pytest.raises(ServiceError, match="is in status Stopped"):
        shop.ask("StopHyperParameterTuningJob", {"HyperParameterTuningJobName": "search"})


def test_a_search_ends_when_its_target_is_reached(shop: Shop) -> None:
    shop.search(trials=50, parallel=1, TuningJobCompletionCriteria={"TargetObjectiveMetricValue": 1.0})
    assert shop.ended()[STATUS] == "Completed"
    assert len(shop.trials()) == 1


def test_several_definitions_take_turns_and_the_best_of_all_is_told(shop: Shop) -> None:
    objective = {"Type": "Maximize", "MetricName": "loss"}
    first = definition(DefinitionName="first", TuningObjective=objective, HyperParameterRanges=LETTERS)
    second = definition("echo loss=9", DefinitionName="second", TuningObjective=objective, HyperParameterRanges=LETTERS)
    asked = request(trials=4)
    config = {key: asked["HyperParameterTuningJobConfig"][key] for key in ("Strategy", "ResourceLimits")}
    names = {"HyperParameterTuningJobName": "search", "HyperParameterTuningJobConfig": config}
    shop.ask("CreateHyperParameterTuningJob", {**names, "TrainingJobDefinitions": [first, second]})
    job = shop.ended()
    assert [one["TrainingJobDefinitionName"] for one in shop.trials()] == ["first", "second"] * 2
    assert job["BestTrainingJob"]["TrainingJobDefinitionName"] == "second"
    assert job["OverallBestTrainingJob"] == {**job["BestTrainingJob"], "TuningJobName": "search"}


def test_a_search_that_repeats_another_tries_other_points(shop: Shop) -> None:
    shop.search(trials=3, ParameterRanges=LETTERS)
    shop.ended()
    again = {**request(trials=1, ParameterRanges=LETTERS), "HyperParameterTuningJobName": "again"}
    parents = [{"HyperParameterTuningJobName": "search"}]
    warm = {"WarmStartType": "IdenticalDataAndAlgorithm", "ParentHyperParameterTuningJobs": parents}
    shop.ask("CreateHyperParameterTuningJob", {**again, "WarmStartConfig": warm})
    name = {"HyperParameterTuningJobName": "again"}
    shop.until(lambda: shop.ask("DescribeHyperParameterTuningJob", name)[STATUS] == "Completed")
    job = shop.ask("DescribeHyperParameterTuningJob", name)
    tried = [one["TunedHyperParameters"]["x"] for one in [*shop.trials(), job["BestTrainingJob"]]]
    assert sorted(tried) == ["1", "2", "3", "4"]
    assert job["OverallBestTrainingJob"]["TunedHyperParameters"] == {"x": "1"}


def test_searches_are_listed_page_by_page_and_forgotten_when_deleted(shop: Shop) -> None:
    for name in ("b", "a"):
        shop.ask("CreateHyperParameterTuningJob", {**request(trials=1), "HyperParameterTuningJobName": name})
    ended = {"StatusEquals": "Completed"}
    shop.until(lambda: len(shop.ask("ListHyperParameterTuningJobs", ended)["HyperParameterTuningJobSummaries"]) == 2)
    page = shop.ask("ListHyperParameterTuningJobs", {"MaxResults": 1})
    (first,) = page["HyperParameterTuningJobSummaries"]
    assert (first["HyperParameterTuningJobName"], first["Strategy"]) == ("a", "Random")
    assert first["ObjectiveStatusCounters"]["Succeeded"] == 1
    rest = shop.ask("ListHyperParameterTuningJobs", {"MaxResults": 1, "NextToken": page["NextToken"]})
    assert [one["HyperParameterTuningJobName"] for one in rest["HyperParameterTuningJobSummaries"]] == ["b"]
    shop.ask("DeleteHyperParameterTuningJob", {"HyperParameterTuningJobName": "a"})
    with pytest.raises(ServiceError, match="not found") as raised:
        shop.ask("DescribeHyperParameterTuningJob", {"HyperParameterTuningJobName": "a"})
    assert raised.value.code == "ResourceNotFound"


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalAws]:
    """A daemon whose container has this toolkit."""
    train = tmp_path / "container" / "bin" / "train"
    train.parent.mkdir(parents=True)
    train.write_text("#!/bin/sh\nexec " + shlex.join(TOOLKIT))
    train.chmod(0o755)
    started = LocalAws(Options(tmp_path / "state", container=tmp_path / "container", enforces_iam=False))
    started.start()
    yield started
    started.stop()


def test_the_daemon_answers_an_unmodified_client(local: LocalAws) -> None:
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    s3, sagemaker = (boto3.client(name, "us-east-1", endpoint_url=local.url, **keys) for name in ("s3", "sagemaker"))
    s3.create_bucket(Bucket="bucket")
    sagemaker.create_hyper_parameter_tuning_job(**request(trials=2))
    name = {"HyperParameterTuningJobName": "search"}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (job := sagemaker.describe_hyper_parameter_tuning_job(**name))[STATUS] == "InProgress":
        assert time.monotonic() < deadline, job
        local.world.signal.wait(0.1)
    asked = {"SortBy": "FinalObjectiveMetricValue", "SortOrder": "Ascending", "MaxResults": 1}
    listed = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(**name, **asked)
    assert listed["TrainingJobSummaries"] == [job["BestTrainingJob"]]


# Searches until two trials have ended and a third runs; says so, and stays until it is killed.
DAEMON = """
import sys, threading
from pathlib import Path
from tests.pedigree.localaws.services.sagemaker.tuning.test_searches import Shop
shop = Shop(Path(sys.argv[1]))
shop.open()
shop.search(sys.argv[2], parallel=1)
shop.until(lambda: len(shop.trials(StatusEquals="Completed")) == 2 and len(shop.trials()) == 3)
shop.until(lambda: len(Path(sys.argv[3]).read_text().split()) == 3)
print("ready", flush=True)
threading.Event().wait(60)
"""


def test_a_search_goes_on_after_the_daemon_was_killed(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    script = f"echo $TRAINING_JOB_NAME >> {runs}; echo loss=$(h x); test $(wc -l < {runs}) != 3 || sleep 1000"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[6])}
    command = [sys.executable, "-c", DAEMON, str(tmp_path), script, str(runs)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as daemon:
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == "ready\n"
        daemon.kill()
    again = Shop(tmp_path)
    before = again.trials()
    again.open()
    job = again.ended()
    after = again.trials()
    again.close()
    assert job[STATUS] == "Completed"
    assert after[:2] == before[:2]
    ran = runs.read_text().split()
    assert ran == [one["TrainingJobName"] for one in (after[0], after[1], after[2], after[2], after[3])]


def test_a_search_goes_on_after_the_daemon_was_stopped(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    first = Shop(tmp_path)
    first.open()
    first.search(f"echo loss=$(h x); test -e {begun} || {{ touch {begun}; sleep 1000; }}", trials=2, parallel=1)
    first.until(begun.exists)
    first.close()
    again = Shop(tmp_path)
    again.open()
    job = again.ended()
    again.close()
    assert job["TrainingJobStatusCounters"]["Completed"] == 2


def test_the_same_seed_tries_the_same_points(tmp_path: Path) -> None:
    tried = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        shop = Shop(tmp_path / name)
        shop.open()
        shop.search(trials=4, parallel=1, Strategy="Bayesian")
        shop.ended()
        tried.append([one["TunedHyperParameters"] for one in shop.trials()])
        shop.close()
    assert tried[0] == tried[1]
