"""A local AWS that runs jobs, for tests: its objects, its jobs, and what those write."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pedigree.clock import SystemClock
from pedigree.localaws.containers.runtime import ContainerRuntime, container_runtime
from pedigree.localaws.kernel import orphans
from pedigree.localaws.kernel.store import Store
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.s3.blob_store import BlobStore
from pedigree.localaws.services.s3.catalog import ObjectCatalog, S3Location
from pedigree.localaws.services.sagemaker.control.service import ControlPlane
from pedigree.localaws.services.sagemaker.jobs.hosts import HostFactory
from pedigree.localaws.services.sagemaker.jobs.operations import ProcessingJobOperations, TrainingJobOperations
from pedigree.localaws.services.sagemaker.jobs.runner import NO_CONTAINER, JobHost, JobRunner
from pedigree.localaws.services.sagemaker.resources.images import Images
from tests.support.images import any_image
from tests.support.roles import AllowedRoles

ROLE = "arn:aws:iam::000000000000:role/job"
PATIENCE_SECONDS = 120


class RecordedLogs:
    """What jobs write, line by line, and apart from that what the local AWS notes in their logs."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.lines: list[tuple[str, str]] = []
        self.more = threading.Condition()

    def write(self, group: str, stream: str, *lines: str) -> None:
        with self.more:
            own = [line for line in lines if line.startswith(NO_CONTAINER)]
            self.notes.extend(own)
            self.lines.extend((f"{group}/{stream}", line) for line in lines if line not in own)
            self.more.notify_all()

    def wait_for(self, line: str) -> None:
        with self.more:
            assert self.more.wait_for(lambda: line in [text for _, text in self.lines], PATIENCE_SECONDS)


class LocalJobs:
    """A local AWS that runs jobs; what they write to the folder outside, the test can read."""

    def __init__(
        self,
        folder: Path,
        kind_of_catalog: type[ObjectCatalog] = ObjectCatalog,
        *,
        uses_namespaces: bool = True,
        images: Images | None = None,
    ) -> None:
        store, clock = Store(folder / "state.sqlite"), SystemClock()
        self.catalog = kind_of_catalog(store, BlobStore(folder / "blobs", store), clock)
        self.catalog.make_bucket("bucket")
        self.logs = RecordedLogs()
        self.world = World("000000000000", "us-east-1", folder, store, self.catalog, clock)
        environment = {"PATH": os.environ["PATH"], "GREETING": "hello", **orphans.daemon_marker(folder)}
        self.machine_folder = folder / "machine"
        self.outside = folder / "outside"
        self.outside.mkdir(exist_ok=True)
        self.containers = container_runtime((folder,), (), (self.outside,), uses_namespaces=uses_namespaces)
        images = images or any_image(folder)
        host = job_host(self.containers, environment, AllowedRoles(self.catalog), images, self.machine_folder)
        self.runner = JobRunner(self.world, host, self.logs)
        self.training = TrainingJobOperations(self.runner, images)
        self.processing = ProcessingJobOperations(self.runner, images)
        self.service = ControlPlane(self.world, (self.training, self.processing))

    def put(self, key: str, content: str = "x") -> None:
        self.catalog.put(S3Location("bucket", key), [content.encode()])

    def texts(self, prefix: str) -> dict[str, str]:
        """The objects under a prefix, as text."""
        under = self.catalog.list_prefix(S3Location("bucket", prefix))
        return {key: self.catalog.read(f"s3://bucket/{key}").decode() for key, _ in under}

    def train(self, script: str, *, hosts: int = 1, seconds: int = 60, **members: Any) -> None:
        """Begin a training job whose command is a line of shell."""
        command = ["/bin/sh", "-c", script]
        algorithm = {"TrainingImage": "image", "TrainingInputMode": "File", "ContainerEntrypoint": command}
        request = {
            "TrainingJobName": "job",
            "RoleArn": ROLE,
            "AlgorithmSpecification": {**algorithm, **members.pop("algorithm", {})},
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": hosts, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": seconds},
            **members,
        }
        self.service.answer("CreateTrainingJob", request)

    def process(self, application: Mapping[str, Any]) -> None:
        """Begin a processing job without inputs and outputs."""
        machines = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
        request = {
            "ProcessingJobName": "job",
            "RoleArn": ROLE,
            "AppSpecification": application,
            "ProcessingResources": {"ClusterConfig": machines},
        }
        self.service.answer("CreateProcessingJob", request)

    def run_script(self, script: str, *interpreter: str, **members: Any) -> None:
        """Begin a training job whose script is too long for a command."""
        self.put("code/script", script)
        command = [*(interpreter or ("/bin/sh",)), "/opt/ml/input/data/code/script"]
        self.train("", algorithm={"ContainerEntrypoint": command}, InputDataConfig=[channel("code")], **members)

    def ended(self, noun: str = "Training", name: str = "job") -> dict[str, Any]:
        """What is described about the job once it has ended."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            job = self.service.answer(f"Describe{noun}Job", {f"{noun}JobName": name})
            if job[f"{noun}JobStatus"] in ("Completed", "Failed", "Stopped"):
                return job
            self.world.signal.wait(0.2)
        raise AssertionError(f"still {job[f'{noun}JobStatus']}")


def job_host(
    containers: ContainerRuntime,
    environment: Mapping[str, str],
    roles: AllowedRoles,
    images: Images,
    machine_folder: Path,
) -> JobHost:
    """What jobs of a test run on; machine_folder stands for what this machine has as /opt/ml."""
    return JobHost(environment, 4, roles, HostFactory(containers, machine_folder), images)


def channel(name: str, **source: str) -> dict[str, Any]:
    place = {"S3DataType": "S3Prefix", "S3Uri": f"s3://bucket/{name}/", **source}
    return {"ChannelName": name, "DataSource": {"S3DataSource": place}}
