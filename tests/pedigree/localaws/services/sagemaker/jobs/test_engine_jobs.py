"""Jobs whose image an engine runs: podman where it runs, and a fake one that keeps docker's command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.engine import engines
from pedigree.localaws.engine.engines import Engines
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.images.catalog import ImageCatalog
from pedigree.localaws.images.environments import Environments
from pedigree.localaws.services.sagemaker.resources.images import Images
from tests.support.engines import SHELL_IMAGE, TestEngine, fake, podman_or_reason
from tests.support.folders import write_files
from tests.support.images import images_file
from tests.support.job_runner import LocalJobs, channel
from tests.support.waiting import until

PLAIN = {"S3OutputPath": "s3://bucket/out", "CompressionType": "NONE"}
WITHOUT_ENTRYPOINT: dict[str, Any] = {"TrainingImage": SHELL_IMAGE, "ContainerEntrypoint": None}


@pytest.fixture(scope="session")
def podman_here(tmp_path_factory: pytest.TempPathFactory) -> TestEngine | str:
    return podman_or_reason(tmp_path_factory.mktemp("podman"))


@pytest.fixture(params=["docker", "podman"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> TestEngine:
    if request.param == "docker":
        return fake(tmp_path / "docker")
    found = request.getfixturevalue("podman_here")
    if isinstance(found, str):
        pytest.skip(found)
    return found  # type: ignore[no-any-return]


def jobs(folder: Path, engine: TestEngine, choice: str = "") -> LocalJobs:
    """A local AWS that runs jobs by an engine; an environment stands for the images known:*."""
    catalog = ImageCatalog(images_file(folder, pattern="known:*"))
    chosen = Engines(choice or engine.name, folder, engine.environment)
    return LocalJobs(folder, images=Images(catalog, Environments(folder / "environments"), chosen))


@pytest.fixture
def local(tmp_path: Path, engine: TestEngine) -> Iterator[LocalJobs]:
    opened = jobs(tmp_path, engine)
    yield opened
    opened.runner.end_all()


def lines(local: LocalJobs) -> list[str]:
    return [line for _, line in local.logs.lines]


def run(local: LocalJobs, script: str, **members: Any) -> dict[str, Any]:
    local.train(script, algorithm={"TrainingImage": SHELL_IMAGE}, OutputDataConfig=PLAIN, **members)
    return local.ended()


def left(engine: TestEngine, folder: Path) -> str:
    """The containers of a local AWS that are still there."""
    return engine.call("ps", "--all", "--quiet", "--filter", f"label=pedigree.local-aws={folder.resolve()}").strip()


def test_a_job_finds_its_folders_and_variables_and_leaves_a_model(local: LocalJobs) -> None:
    local.put("train/a.txt", "rows")
    script = 'cat /opt/ml/input/data/train/a.txt && echo "$GREETING $WORD $PATH" && echo x > /opt/ml/model/made'
    job = run(local, script, InputDataConfig=[channel("train")], Environment={"WORD": "two\nlines"})
    assert job["TrainingJobStatus"] == "Completed", lines(local)
    assert lines(local)[0] == "rowshello two"
    assert lines(local)[1].startswith("lines /")
    assert local.texts("out/job/output/model/") == {"out/job/output/model/made": "x\n"}


def test_the_image_s_own_entrypoint_gets_the_arguments_of_the_job(local: LocalJobs) -> None:
    algorithm = {**WITHOUT_ENTRYPOINT, "ContainerArguments": ["echo its $0", "own"]}
    local.train("", algorithm=algorithm)
    assert local.ended()["TrainingJobStatus"] == "Completed", lines(local)
    assert lines(local) == ["its own"]


def test_a_training_job_without_a_command_is_train(local: LocalJobs) -> None:
    local.train("", algorithm=WITHOUT_ENTRYPOINT)
    assert "exit code: 127" in local.ended()["FailureReason"]
    assert "train" in lines(local)[-1]


def test_a_processing_job_needs_no_command_of_its_own(local: LocalJobs) -> None:
    local.process({"ImageUri": SHELL_IMAGE, "ContainerArguments": ["ls /opt/ml/config"]})
    assert local.ended("Processing")["ProcessingJobStatus"] == "Completed", lines(local)
    assert lines(local) == ["processingjobconfig.json", "resourceconfig.json"]


def test_a_failure_has_the_exit_code_and_the_reason_of_the_job(local: LocalJobs) -> None:
    job = run(local, "echo why > /opt/ml/output/failure; exit 7")
    assert job["FailureReason"] == "AlgorithmError: why, exit code: 7"


def test_hosts_start_together_and_each_says_who_it_is(local: LocalJobs, engine: TestEngine) -> None:
    job = run(local, "cat /opt/ml/input/config/resourceconfig.json; echo; hostname; cat /etc/hosts", hosts=2)
    assert job["TrainingJobStatus"] == "Completed", lines(local)
    said = {host: [line for place, line in local.logs.lines if place.endswith(host)] for host in ("algo-1", "algo-2")}
    assert all(f'"current_host": "{host}"' in said[host][0] for host in said)
    if engine.name == "podman":
        assert all(host in said[host] for host in said)
        assert all(any(line.split("#011") == ["127.0.0.2", "algo-2"] for line in said[host]) for host in said)


def test_a_stopped_job_gets_sigterm_and_nothing_is_left(local: LocalJobs, engine: TestEngine, tmp_path: Path) -> None:
    script = "trap 'echo stopping; exit 0' TERM; echo ready; while true; do sleep 0.05; done"
    local.train(script, algorithm={"TrainingImage": SHELL_IMAGE})
    local.logs.wait_for("ready")
    local.service.answer("StopTrainingJob", {"TrainingJobName": "job"})
    assert local.ended()["TrainingJobStatus"] == "Stopped"
    assert lines(local) == ["ready", "stopping"]
    until(lambda: left(engine, tmp_path), "")


def test_what_runs_is_killed_with_the_daemon(local: LocalJobs, engine: TestEngine, tmp_path: Path) -> None:
    local.train("echo ready; while true; do sleep 0.05; done", algorithm={"TrainingImage": SHELL_IMAGE})
    local.logs.wait_for("ready")
    assert left(engine, tmp_path)
    local.runner.end_all(60)
    assert left(engine, tmp_path) == ""


def test_what_a_killed_daemon_has_left_is_removed_later(local: LocalJobs, engine: TestEngine, tmp_path: Path) -> None:
    local.train("echo ready; while true; do sleep 0.05; done", algorithm={"TrainingImage": SHELL_IMAGE})
    local.logs.wait_for("ready")
    engines.clean(tmp_path / "another folder", engine.environment)
    assert left(engine, tmp_path)
    engines.clean(tmp_path, engine.environment)
    assert left(engine, tmp_path) == ""
    assert local.ended()["TrainingJobStatus"] == "Failed"


def test_network_isolation_leaves_the_loopback_alone(local: LocalJobs, engine: TestEngine) -> None:
    job = run(local, "cat /proc/net/dev", EnableNetworkIsolation=True)
    assert job["TrainingJobStatus"] == "Completed", lines(local)
    if engine.name == "podman":
        assert [line.split(":")[0].strip() for line in lines(local)[2:]] == ["lo"]


def test_an_image_that_cannot_be_pulled_is_one_line(tmp_path: Path) -> None:
    local = jobs(tmp_path, fake(tmp_path / "docker"))
    local.train("", algorithm={"TrainingImage": "missing:1", "ContainerEntrypoint": ["true"]})
    reason = local.ended()["FailureReason"]
    assert (
        "the image missing:1 cannot be pulled: Error response: no such image: missing:1; see that `docker pull"
        in reason
    )
    assert "[local AWS] docker pulls missing:1 …" in lines(local)


def test_an_image_is_pulled_once(tmp_path: Path) -> None:
    engine = fake(tmp_path / "docker")
    local = jobs(tmp_path, engine)
    for _ in range(2):
        local.train("", algorithm={"TrainingImage": "pullable:1", "ContainerEntrypoint": ["true"]})
        assert local.ended()["TrainingJobStatus"] == "Completed"
        local.service.answer("DeleteTrainingJob", {"TrainingJobName": "job"})
    assert [call for call in engine.calls() if call[0] == "pull"] == [["pull", "pullable:1"]]


def test_isolated_hosts_share_a_network_that_is_removed(tmp_path: Path) -> None:
    engine = fake(tmp_path / "docker")
    local = jobs(tmp_path, engine)
    assert run(local, "true", hosts=2, EnableNetworkIsolation=True)["TrainingJobStatus"] == "Completed"
    created, removed = (call for call in engine.calls() if call[0] == "network" and call[1] != "ls")
    assert created[:3] == ["network", "create", "--internal"]
    assert removed == ["network", "rm", created[-1]]
    hosts = [call for call in engine.calls() if call[0] == "run"]
    assert all(call[call.index("--network") + 1] == created[-1] for call in hosts)


@pytest.mark.parametrize(
    ("choice", "setting", "image", "is_run_by_engine"),
    [
        ("auto", "", SHELL_IMAGE, True),
        ("auto", "", "known:1", False),
        ("docker", "none", "known:1", False),
        ("none", "docker", SHELL_IMAGE, True),
        ("none", "auto", SHELL_IMAGE, True),
    ],
)
def test_an_image_s_own_setting_goes_before_the_choice(
    tmp_path: Path, choice: str, setting: str, image: str, is_run_by_engine: bool
) -> None:
    engine = fake(tmp_path / "docker")
    local = jobs(tmp_path, engine, choice)
    if setting:
        known = (tmp_path / "images.toml").read_text(encoding="utf-8")
        own = f'[[recipe]]\nname = "own"\nimages = ["{SHELL_IMAGE}"]\nengine = "{setting}"\n'
        text = f"{own}{known}" if image == SHELL_IMAGE else f'{known}\nengine = "{setting}"\n'
        write_files(tmp_path, {"images.toml": text})
    local.train("true", algorithm={"TrainingImage": image})
    assert local.ended()["TrainingJobStatus"] == "Completed", lines(local)
    calls = engine.calls() if (engine.folder / "calls.jsonl").exists() else []
    assert any(call[0] == "run" for call in calls) == is_run_by_engine


def test_an_engine_that_is_not_here_is_one_line(tmp_path: Path) -> None:
    local = jobs(tmp_path, fake(tmp_path / "docker"), "nerdctl")
    with pytest.raises(ServiceError, match="nerdctl is not on this machine, or does not answer; see that"):
        local.train("true", algorithm={"TrainingImage": SHELL_IMAGE})
