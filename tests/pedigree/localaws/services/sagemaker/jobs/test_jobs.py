"""Jobs of the local AWS are real processes that find a container's folders, and leave what they write in S3."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel import orphans
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.s3.catalog import ObjectCatalog, S3Location
from pedigree.localaws.services.sagemaker.jobs.sandbox import Sandbox
from tests.support.job_runner import PATIENCE_SECONDS, ROLE, LocalJobs, channel
from tests.support.processes import running_processes
from tests.support.waiting import until


def test_a_channel_is_a_folder_and_the_model_folder_an_archive(local: LocalJobs) -> None:
    local.put("train/a/1.txt", "one")
    local.train("cat /opt/ml/input/data/train/a/1.txt > /opt/ml/model/copy", InputDataConfig=[channel("train")])
    job = local.ended()
    assert job["ModelArtifacts"] == {"S3ModelArtifacts": "s3://bucket/out/job/output/model.tar.gz"}
    with tarfile.open(fileobj=io.BytesIO(local.catalog.read(job["ModelArtifacts"]["S3ModelArtifacts"]))) as archive:
        copied = archive.extractfile("copy")
        assert copied is not None
        assert copied.read() == b"one"
    moves = job["SecondaryStatusTransitions"]
    assert [move["Status"] for move in moves] == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all(
        move["EndTime"] >= move["StartTime"] and move["StatusMessage"] for move in job["SecondaryStatusTransitions"]
    )
    assert job["TrainingTimeInSeconds"] == job["BillableTimeInSeconds"] == 1


def test_the_container_is_described_to_the_script(local: LocalJobs) -> None:
    local.train(
        "cat /opt/ml/input/config/hyperparameters.json; echo; echo $GREETING $MINE $TRAINING_JOB_NAME; test -d /opt/ml",
        HyperParameters={"epochs": "3", "place": "/opt/ml/model"},
        Environment={"MINE": "at /opt/ml/x"},
    )
    local.ended()
    (stream, hyperparameters), (_, environment) = local.logs.lines[:2]
    mapped = local.world.folder / "jobs" / "job" / "host-1" / "opt" / "ml"
    root = "/opt/ml" if local.containers.has_containers else mapped
    assert stream == "/aws/sagemaker/TrainingJobs/job/algo-1"
    assert hyperparameters == f'{{"epochs": "3", "place": "{root}/model"}}'
    assert environment == f"hello at {root}/x job"


@pytest.mark.parametrize(("hosts", "share"), [(1, "4"), (2, "2"), (5, "1")])
def test_hosts_that_run_side_by_side_share_the_cores(local: LocalJobs, hosts: int, share: str) -> None:
    local.train("echo $SM_LOCAL_CORES $OMP_NUM_THREADS", hosts=hosts)
    local.ended()
    assert {line for _, line in local.logs.lines} == {f"{share} {share}"}


def test_metrics_are_read_from_the_log_and_the_last_value_counts(local: LocalJobs) -> None:
    script = "for value in 0.5 nan 1e-05 inf; do echo loss=$value; done"
    metrics = [{"Name": "loss", "Regex": "loss=(.*)"}, {"Name": "never", "Regex": "never=(.*)"}]
    local.train(script, algorithm={"MetricDefinitions": metrics})
    assert [(metric["MetricName"], metric["Value"]) for metric in local.ended()["FinalMetricDataList"]] == [
        ("loss", 1e-05)
    ]


def test_a_job_may_say_why_it_failed(local: LocalJobs) -> None:
    local.train("echo 'no images' > /opt/ml/output/failure; touch /opt/ml/model/x /opt/ml/output/data/y; exit 3")
    job = local.ended()
    assert (job["TrainingJobStatus"], job["FailureReason"]) == ("Failed", "AlgorithmError: no images, exit code: 3")
    assert list(local.texts("out/job/output/model")) == []
    assert [key for key, _ in local.catalog.list_prefix(S3Location("bucket", "out"))] == [
        "out/job/output/output.tar.gz"
    ]


def test_a_job_that_says_nothing_fails_with_its_exit_code(local: LocalJobs) -> None:
    local.train("exit 7")
    assert local.ended()["FailureReason"] == "AlgorithmError: , exit code: 7"


def test_a_job_whose_input_is_not_there_is_refused(local: LocalJobs) -> None:
    with pytest.raises(ServiceError, match='No S3 objects found under S3 URL "s3://bucket/train/"'):
        local.train("echo ran", InputDataConfig=[channel("train")])
    assert local.logs.lines == []


def test_every_instance_is_a_host_that_knows_the_others(local: LocalJobs) -> None:
    local.train("cat /opt/ml/input/config/resourceconfig.json | tr , '\\n' | grep current_host; echo", hosts=3)
    local.ended()
    lines = sorted(line for _, line in local.logs.lines if "current_host" in line)
    name = "algo-" if local.containers.has_containers else "127.0.0."
    assert lines == [f'{{"current_host": "{name}{number}"' for number in (1, 2, 3)]
    assert {stream for stream, _ in local.logs.lines} == {
        f"/aws/sagemaker/TrainingJobs/job/algo-{n}" for n in (1, 2, 3)
    }


def test_one_host_that_fails_ends_the_others(local: LocalJobs) -> None:
    script = 'grep -q \'current_host": "[^"]*2"\' /opt/ml/input/config/resourceconfig.json && exit 4; sleep 1000'
    local.train(script, hosts=2)
    assert "exit code: " in local.ended()["FailureReason"]


def test_shards_are_dealt_out(local: LocalJobs) -> None:
    for number in range(5):
        local.put(f"train/{number}")
    shards = channel("train", S3DataDistributionType="ShardedByS3Key")
    local.train("ls /opt/ml/input/data/train | wc -l", hosts=2, InputDataConfig=[shards])
    local.ended()
    assert sorted(line.strip() for _, line in local.logs.lines) == ["2", "3"]


def test_a_job_is_stopped_in_its_own_time(local: LocalJobs) -> None:
    local.train("trap 'echo leaving > /opt/ml/model/x; exit 0' TERM; echo ready; while true; do sleep 0.05; done")
    local.logs.wait_for("ready")
    local.service.answer("StopTrainingJob", {"TrainingJobName": "job"})
    job = local.ended()
    assert (job["TrainingJobStatus"], "FailureReason" in job) == ("Stopped", False)
    assert job["ModelArtifacts"]["S3ModelArtifacts"]
    with pytest.raises(ServiceError, match="is in status Stopped"):
        local.service.answer("StopTrainingJob", {"TrainingJobName": "job"})


def test_a_stop_that_comes_too_late_changes_nothing(local: LocalJobs) -> None:
    local.train("true")
    job = local.ended()
    local.runner.stop(local.training.kind, "job")
    assert local.ended() == job


def test_the_values_of_a_metric_can_be_followed_while_a_job_runs_and_afterwards(local: LocalJobs) -> None:
    metrics = [{"Name": "loss", "Regex": "loss=(.*)"}]
    local.train("echo loss=2; echo loss=1; echo ready; sleep 1000", algorithm={"MetricDefinitions": metrics})
    local.logs.wait_for("ready")
    assert local.training.metric_values("job", "loss") == (2.0, 1.0)
    local.service.answer("StopTrainingJob", {"TrainingJobName": "job"})
    local.ended()
    assert local.training.metric_values("job", "loss") == (2.0, 1.0)
    assert local.training.metric_values("job", "other") == ()


def test_a_job_ends_when_its_time_is_up(local: LocalJobs) -> None:
    local.train("echo ready; sleep 1000", seconds=1)
    job = local.ended()
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_a_job_on_spot_instances_must_wait_at_least_as_long_as_it_may_run(local: LocalJobs) -> None:
    with pytest.raises(ServiceError, match=r"Invalid MaxWaitTimeInSeconds. It must be present and be greater"):
        local.train("true", EnableManagedSpotTraining=True)
    limits = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}
    local.train("true", EnableManagedSpotTraining=True, StoppingCondition=limits)
    assert local.ended()["TrainingJobStatus"] == "Completed"


def test_a_job_that_has_ended_may_be_deleted_and_its_name_given_again(local: LocalJobs) -> None:
    local.train("sleep 0.2")
    with pytest.raises(ServiceError, match="is in status InProgress") as refused:
        local.service.answer("DeleteTrainingJob", {"TrainingJobName": "job"})
    assert refused.value.code == "ResourceInUse"
    local.ended()
    local.service.answer("DeleteTrainingJob", {"TrainingJobName": "job"})
    with pytest.raises(ServiceError, match="not found"):
        local.service.answer("DeleteTrainingJob", {"TrainingJobName": "job"})
    local.train("true")
    assert local.ended()["TrainingJobStatus"] == "Completed"


def test_a_name_is_given_to_one_job(local: LocalJobs) -> None:
    local.train("true")
    with pytest.raises(ServiceError, match="Job name must be unique") as raised:
        local.train("true")
    assert raised.value.code == "ResourceInUse"


def test_checkpoints_are_downloaded_before_and_uploaded_after(local: LocalJobs) -> None:
    local.put("checkpoints/step", "5")
    local.train(
        "cat /opt/ml/checkpoints/step; echo 6 > /opt/ml/checkpoints/step",
        CheckpointConfig={"S3Uri": "s3://bucket/checkpoints/"},
    )
    local.ended()
    assert local.logs.lines[0][1] == "5"
    assert local.texts("checkpoints") == {"checkpoints/step": "6\n"}


def test_a_script_may_have_the_paths_of_a_container_in_it(local: LocalJobs) -> None:
    local.put(
        "code/run.sh", "cat /opt/ml/input/data/words/a > /opt/ml/model/out; . /opt/ml/input/data/code/lib/more.sh"
    )
    local.put("code/lib/more.sh", "echo /opt/mlx >> /opt/ml/model/out")
    local.put("words/a", "hello")
    command = "sh /opt/ml/input/data/code/run.sh"
    channels = [channel("code", S3Uri="s3://bucket/code"), channel("words", S3Uri="s3://bucket/words")]
    local.train(command, InputDataConfig=channels)
    archive = io.BytesIO(local.catalog.read(local.ended()["ModelArtifacts"]["S3ModelArtifacts"]))
    with tarfile.open(fileobj=archive) as tar:
        found = tar.extractfile("out")
        assert found is not None
        assert found.read().split() == [b"hello/opt/mlx"]
    assert local.texts("code/lib") == {"code/lib/more.sh": "echo /opt/mlx >> /opt/ml/model/out"}


def test_a_processing_job_reads_and_writes_folders(local: LocalJobs) -> None:
    local.put("in/a.txt", "text")
    script = 'cp "$0" /opt/ml/processing/out/copy.txt'
    place = {"S3Uri": "s3://bucket/in/", "LocalPath": "/opt/ml/processing/in"}
    output = {"S3Uri": "s3://bucket/result", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    local.service.answer(
        "CreateProcessingJob",
        {
            "ProcessingJobName": "job",
            "RoleArn": ROLE,
            "AppSpecification": {
                "ImageUri": "image",
                "ContainerEntrypoint": ["/bin/sh", "-c", script],
                "ContainerArguments": ["/opt/ml/processing/in/a.txt"],
            },
            "ProcessingInputs": [{"InputName": "in", "S3Input": {**place, "S3DataType": "S3Prefix"}}],
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": output}]},
            "ProcessingResources": {
                "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
            },
        },
    )
    assert local.ended("Processing")["ProcessingJobStatus"] == "Completed"
    assert local.texts("result") == {"result/copy.txt": "text"}


@pytest.mark.parametrize("path", ["/tmp/out", "/opt/ml", "/opt/mlx/out", "/opt/ml/../../etc", "/opt/ml/a/../../../x"])
def test_a_path_outside_of_the_container_s_folders_is_refused(local: LocalJobs, path: str) -> None:
    local.put("in/a.txt", "text")
    place = {"S3Uri": "s3://bucket/result", "LocalPath": path, "S3UploadMode": "EndOfJob"}
    output = {"OutputName": "out", "S3Output": place}
    source = {"S3Uri": "s3://bucket/in/", "LocalPath": path, "S3DataType": "S3Prefix"}
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    for more in (
        {"ProcessingInputs": [{"InputName": "in", "S3Input": source}]},
        {"ProcessingOutputConfig": {"Outputs": [output]}},
    ):
        application = {"ImageUri": "image", "ContainerEntrypoint": ["true"]}
        request = {"ProcessingJobName": "job", "RoleArn": ROLE, "AppSpecification": application}
        with pytest.raises(ServiceError, match="the local AWS has paths below /opt/ml only"):
            local.service.answer(
                "CreateProcessingJob", {**request, **more, "ProcessingResources": {"ClusterConfig": cluster}}
            )
    with pytest.raises(ServiceError, match="the local AWS has paths below /opt/ml only"):
        local.train("true", CheckpointConfig={"S3Uri": "s3://bucket/checkpoints/", "LocalPath": path})
    with pytest.raises(ServiceError, match="the local AWS has paths below /opt/ml only"):
        local.train("true", InputDataConfig=[channel("..")])
    with pytest.raises(ValueError, match="is not in /opt/ml"):
        Sandbox(Path("/somewhere")).path(path + "/../../../..")


def test_a_job_may_write_to_its_inputs_without_changing_the_objects(local: LocalJobs) -> None:
    for key in ("train/a", "checkpoints/a", "other"):
        local.put(key, "the same")
    script = "echo harm >> /opt/ml/input/data/train/a || true; echo more >> /opt/ml/checkpoints/a"
    place = {"S3Uri": "s3://bucket/checkpoints/"}
    local.train(script, InputDataConfig=[channel("train")], CheckpointConfig=place)
    assert local.ended()["TrainingJobStatus"] == "Completed"
    assert local.texts("train") == {"train/a": "the same"}
    assert local.texts("other") == {"other": "the same"}
    assert local.texts("checkpoints") == {"checkpoints/a": "the samemore\n"}


def test_a_job_ends_with_its_first_process_and_leaves_nothing_running(local: LocalJobs, tmp_path: Path) -> None:
    local.train("sleep 1000 & echo started")
    assert local.ended()["TrainingJobStatus"] == "Completed"
    assert "started" in [line for _, line in local.logs.lines]
    assert not running_processes(tmp_path)


# Begins a job, and dies as soon as there is something to keep of it.
DYING = """
import os, sys, threading
from pathlib import Path
from pedigree.localaws.services.s3.catalog import ObjectCatalog
from tests.support.job_runner import LocalJobs
class Dying(ObjectCatalog):
    def put_file(self, place, path):
        os._exit(9)
local = LocalJobs(Path(sys.argv[1]), Dying)
local.train(sys.argv[2], algorithm={"MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}]})
threading.Event().wait(300)
"""


def test_a_job_whose_processes_had_ended_is_uploaded_and_not_run_again(tmp_path: Path) -> None:
    runs = tmp_path / "outside" / "runs"
    script = f"echo once >> {runs}; echo loss=1; echo model > /opt/ml/model/x; touch /opt/ml/output/failure; exit 0"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[6])}
    died = subprocess.run(
        [sys.executable, "-c", DYING, str(tmp_path), script], env=environment, timeout=300, check=False
    )
    assert died.returncode == 9
    again = LocalJobs(tmp_path)
    again.runner.resume(again.training.kind)
    job = again.ended()
    assert (job["TrainingJobStatus"], job["FinalMetricDataList"][0]["Value"]) == ("Completed", 1.0)
    assert again.catalog.find(S3Location.parse(job["ModelArtifacts"]["S3ModelArtifacts"])) is not None
    assert runs.read_text() == "once\n"


class Slow(ObjectCatalog):
    """Objects that are long in coming."""

    is_called = threading.Event()
    may_come = threading.Event()

    def list_prefix(self, place: S3Location) -> Iterator[tuple[str, Document]]:
        self.is_called.set()
        assert self.may_come.wait(PATIENCE_SECONDS)
        return super().list_prefix(place)


def test_a_job_that_is_not_begun_when_the_daemon_stops_is_begun_by_the_next(tmp_path: Path) -> None:
    slow, runs = LocalJobs(tmp_path, Slow), tmp_path / "outside" / "runs"
    slow.put("train/a/1.txt", "one")
    slow.train(f"echo ran >> {runs}", InputDataConfig=[channel("train")])
    assert Slow.is_called.wait(PATIENCE_SECONDS)
    slow.runner.end_all(patience=0)
    Slow.may_come.set()
    for thread in threading.enumerate():
        if thread.name == "job job":
            thread.join(PATIENCE_SECONDS)
    assert not runs.exists()
    again = LocalJobs(tmp_path)
    again.runner.resume(again.training.kind)
    assert again.ended()["TrainingJobStatus"] == "Completed"
    assert runs.read_text() == "ran\n"


# Begins a job, says so, and stays until it is killed.
DAEMON = """
import sys, threading
from pathlib import Path
from tests.support.job_runner import LocalJobs
local = LocalJobs(Path(sys.argv[1]))
local.train(sys.argv[2], CheckpointConfig={"S3Uri": "s3://bucket/checkpoints/"})
local.logs.wait_for("ready")
print("ready", flush=True)
threading.Event().wait(300)
"""


def test_a_job_that_ran_when_the_daemon_was_killed_runs_again_alone_from_its_checkpoints(tmp_path: Path) -> None:
    script = "cd /opt/ml/checkpoints; test -e step && exit; echo 5 > step; echo ready; sleep 1000"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[6])}
    command = [sys.executable, "-c", DAEMON, str(tmp_path), script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as daemon:
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == "ready\n"
        daemon.kill()
    again = LocalJobs(tmp_path)
    if not again.containers.has_containers:  # which end with their daemon
        assert orphans.kill_orphans(tmp_path) > 0
    until(lambda: not running_processes(tmp_path))
    again.runner.resume(again.training.kind)
    assert again.ended()["TrainingJobStatus"] == "Completed"
    assert not running_processes(tmp_path)
