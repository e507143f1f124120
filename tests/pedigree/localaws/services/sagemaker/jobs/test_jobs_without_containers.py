"""A job on a machine without namespaces: its log says so, and it must not write to the machine's own /opt/ml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.job_runner import LocalJobs


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalJobs]:
    opened = LocalJobs(tmp_path, uses_namespaces=False)
    yield opened
    opened.runner.end_all()


def test_the_log_says_why_there_is_no_container_and_what_that_means(local: LocalJobs) -> None:
    local.train("true", EnableNetworkIsolation=True)
    assert local.ended()["TrainingJobStatus"] == "Completed"
    (note,) = local.logs.notes
    assert note == (
        "[local AWS] there is no container for this job: they are switched off: paths below /opt/ml are rewritten in "
        "the command and in scripts, and EnableNetworkIsolation is not enforced"
    )


def test_hosts_have_addresses_for_names(local: LocalJobs) -> None:
    local.train("cat /opt/ml/input/config/resourceconfig.json; echo", hosts=2)
    local.ended()
    assert all('"hosts": ["127.0.0.1", "127.0.0.2"]' in line for _, line in local.logs.lines)


def test_a_job_that_writes_to_the_machines_own_folder_fails(local: LocalJobs) -> None:
    local.train(f"mkdir -p {local.machine_folder}/model && echo x > {local.machine_folder}/model/x")
    job = local.ended()
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(f"ClientError: {local.machine_folder}/model of this machine changed while")


def test_a_notebook_job_fails_at_once_and_says_that_it_needs_a_container(local: LocalJobs) -> None:
    local.train("", algorithm={"ContainerEntrypoint": ["amazon_sagemaker_scheduler"]})
    reason = "ClientError: a notebook job needs a container, and there is none: they are switched off"
    assert local.ended()["FailureReason"] == reason


def test_a_job_that_fails_by_itself_keeps_its_own_reason(local: LocalJobs) -> None:
    local.train(f"mkdir -p {local.machine_folder}/model; echo bad > /opt/ml/output/failure; exit 2")
    assert local.ended()["FailureReason"] == "AlgorithmError: bad, exit code: 2"


def test_what_was_there_before_does_not_fail_a_job(local: LocalJobs) -> None:
    (local.machine_folder / "model").mkdir(parents=True)
    (local.machine_folder / "model" / "x").write_text("of another program")
    local.train("true")
    assert local.ended()["TrainingJobStatus"] == "Completed"
