"""A local SageMaker that runs searches, for tests; a trial is a line of shell."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pedigree.clock import SystemClock
from pedigree.localaws.containers.runtime import container_runtime
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.store import Store
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.logs.streams import LogFiles
from pedigree.localaws.services.s3.blob_store import BlobStore
from pedigree.localaws.services.s3.catalog import ObjectCatalog
from pedigree.localaws.services.sagemaker.control.service import ControlPlane
from pedigree.localaws.services.sagemaker.jobs.operations import TrainingJobOperations
from pedigree.localaws.services.sagemaker.jobs.runner import JobRunner
from pedigree.localaws.services.sagemaker.resources import tag_operations
from pedigree.localaws.services.sagemaker.tuning.operations import TuningJobOperations
from pedigree.localaws.services.sagemaker.tuning.training_jobs import TrainingJobs
from pedigree.localaws.services.sagemaker.tuning.tuner import Tuner
from tests.support.images import any_image
from tests.support.job_runner import job_host
from tests.support.roles import AllowedRoles

ROLE = "arn:aws:iam::000000000000:role/job"
PATIENCE_SECONDS = 60
STATUS = "HyperParameterTuningJobStatus"
# Runs the line of shell that the environment holds; h reads a hyperparameter.
TOOLKIT = (
    "/bin/sh",
    "-c",
    """config=${SAGEMAKER_BASE_DIR:-/opt/ml}/input/config
    h() { sed -n 's/.*"'$1'": "\\([^"]*\\)".*/\\1/p' $config/hyperparameters.json; }
    eval "$SCRIPT" """,
)
SHOW = "echo loss=$(h x)"
CONTINUOUS = {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0.001", "MaxValue": "1"}]}
LETTERS = {"CategoricalParameterRanges": [{"Name": "x", "Values": ["1", "2", "3", "4"]}]}


class LocalTuning:
    """A local AWS that searches; what its jobs write to the folder outside, the test can read."""

    def __init__(self, folder: Path) -> None:
        store, clock = Store(folder / "state.sqlite"), SystemClock()
        catalog = ObjectCatalog(store, BlobStore(folder / "blobs", store), clock)
        catalog.make_bucket("bucket")
        self.world = World("000000000000", "us-east-1", folder, store, catalog, clock)
        environment = {"PATH": os.environ["PATH"]}
        outside = folder / "outside"
        outside.mkdir(exist_ok=True)
        containers = container_runtime((folder,), (), (outside,))
        images = any_image(folder, TOOLKIT)
        host = job_host(containers, environment, AllowedRoles(catalog), images, folder / "opt")
        self.jobs = JobRunner(self.world, host, LogFiles(folder / "logs", clock))
        self.training = TrainingJobOperations(self.jobs, images)
        self.refusal: ServiceError | None = None
        self.tuner = Tuner(self.world, TrainingJobs(self.world, self._begun, self.training.metric_values))
        self.service = ControlPlane(self.world, (self.training, TuningJobOperations(self.tuner), tag_operations))

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

    def trials(self, **filters: Any) -> list[dict[str, Any]]:
        every = {"HyperParameterTuningJobName": "search", "MaxResults": 100, **filters}
        summaries: list[dict[str, Any]] = self.ask("ListTrainingJobsForHyperParameterTuningJob", every)[
            "TrainingJobSummaries"
        ]
        return summaries

    def until(self, look: Callable[[], Any]) -> Any:
        """Call `look` until it returns a true value; return that value."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if value := look():
                return value
            self.world.signal.wait(0.1)
        raise AssertionError(f"still nothing; {self.described()} {self.trials()}")

    def ended(self) -> dict[str, Any]:
        """What is described once the search has ended."""
        self.until(lambda: self.described()[STATUS] in ("Completed", "Failed", "Stopped"))
        return self.described()


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
