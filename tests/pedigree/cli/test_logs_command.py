"""`pedigree logs` and `pedigree start --only` on a real local AWS, in a folder without any project."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.daemon import ACCOUNT, LocalAws
from pedigree.localaws.services.sagemaker.jobs.runner import NO_CONTAINER
from tests.support.cli import PEDIGREE, ROOT, aws_environment
from tests.support.local_aws import client, running_local_aws
from tests.support.processes import enable_interrupts
from tests.support.waiting import until

NAME = "not-ours"
PATIENCE = 300


def training(name: str, script: str, *, hosts: int = 1, before: str = "") -> dict[str, Any]:
    """A training step whose job is a line of shell."""
    source = {"S3DataType": "S3Prefix", "S3Uri": {"Get": f"Steps.{before}.ModelArtifacts.S3ModelArtifacts"}}
    channel = {"InputDataConfig": [{"ChannelName": "model", "DataSource": {"S3DataSource": source}}]} if before else {}
    algorithm = {"TrainingImage": "image", "TrainingInputMode": "File"}
    arguments = {
        "AlgorithmSpecification": {**algorithm, "ContainerEntrypoint": ["/bin/sh", "-c", script]},
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/jobs",
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": hosts, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": PATIENCE},
    }
    return {"Name": name, "Type": "Training", "Arguments": {**arguments, **channel}}


STEPS = [
    training("First", "for n in 1 2 3; do echo number $n; done; echo m > /opt/ml/model/m", hosts=2),
    training("Second", "printf 'one\\rtwo\\n'; printf '\\033[31mred\\n'; echo m > /opt/ml/model/m", before="First"),
    training("Third", "while [ ! -e {folder}/go ]; do sleep 0.1; done; echo the last line", before="Second"),
]


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file for which the last step waits."""
    return tmp_path_factory.mktemp("go") / "go"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory, go: Path) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local"), mounts=(go.parent,)) as local:
        trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": trust})
        client(local.url, "iam").create_role(RoleName="jobs", AssumeRolePolicyDocument=document)
        client(local.url, "s3").create_bucket(Bucket="bucket")
        definition = json.dumps({"Version": "2020-12-01", "Steps": STEPS}).replace("{folder}", str(go.parent))
        role = f"arn:aws:iam::{ACCOUNT}:role/jobs"
        client(local.url, "sagemaker").create_pipeline(
            PipelineName=NAME, PipelineDefinition=definition, RoleArn=role, ClientRequestToken="t" * 32
        )
        yield local


@cache
def engineer(local: LocalAws) -> dict[str, str]:
    """The key of a user: of the account itself, SageMaker does not say that it has started something."""
    iam = client(local.url, "iam")
    iam.create_user(UserName="engineer")
    iam.attach_user_policy(UserName="engineer", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    key = iam.create_access_key(UserName="engineer")["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def environment(local: LocalAws) -> dict[str, str]:
    key = {**local.key.environment, **engineer(local)}
    inherited = aws_environment(local.url, AWS_DEFAULT_REGION="us-east-1", PYTHONPATH=str(ROOT), **key)
    return {name: value for name, value in inherited.items() if name != "PEDIGREE_SETTINGS"}


def pedigree(local: LocalAws, folder: Path, *arguments: str, code: int = 0) -> tuple[str, str]:
    """The output and the messages of a command in a folder without a project."""
    command = [*PEDIGREE, *arguments, "--pipeline", NAME]
    done = subprocess.run(
        command, cwd=folder, env=environment(local), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


def of_jobs(output: str) -> list[str]:
    """The lines that jobs have written, without what the local AWS notes in a log where it makes no containers."""
    return [line for line in output.splitlines() if NO_CONTAINER not in line]


@pytest.fixture(scope="module")
def followed(local: LocalAws, go: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What --follow prints of an execution from its start to its end."""
    folder = tmp_path_factory.mktemp("empty")
    started, _ = pedigree(local, folder, "start")
    assert f"`pedigree stop {started.split()[2]} --pipeline {NAME}`" in started
    command = [*PEDIGREE, "logs", "--follow", "--every", "0.2", "--pipeline", NAME]
    with subprocess.Popen(command, cwd=folder, env=environment(local), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = list(islice((line for line in process.stdout if NO_CONTAINER not in line), 8))
        go.touch()
        rest, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
    return "".join(first) + rest


def test_following_prints_every_line_once_in_order_and_ends_with_the_execution(followed: str) -> None:
    shown = of_jobs(followed)
    for label in ("First ", "First/algo-2"):
        assert [line for line in shown if line.startswith(label)] == [f"{label:6} | number {n}" for n in (1, 2, 3)]
    assert shown[6:] == ["Second | two", "Second | #033[31mred", "Third  | the last line"]


@pytest.mark.usefixtures("followed")
def test_afterwards_the_same_lines_are_there_and_can_be_narrowed(
    local: LocalAws, followed: str, tmp_path: Path
) -> None:
    assert sorted(of_jobs(pedigree(local, tmp_path, "logs")[0])) == sorted(of_jobs(followed))
    assert pedigree(local, tmp_path, "logs", "--tail", "1")[0] == "Third  | the last line\n"
    assert pedigree(local, tmp_path, "logs", "First", "--host", "algo-2", "--tail", "1") == (
        "First/algo-2 | number 3\n",
        "",
    )
    out, _ = pedigree(local, tmp_path, "logs", "Third", "--timestamps", "--since", "1h")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} Third \| the last line", "\n".join(of_jobs(out)))


@pytest.mark.usefixtures("followed")
def test_a_listing_says_who_has_started_it(local: LocalAws, tmp_path: Path) -> None:
    header, row = pedigree(local, tmp_path, "executions")[0].splitlines()
    assert row[header.index("BY") :].startswith("engineer ")


@pytest.mark.usefixtures("followed")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("Thrid",), "; did you mean Third?"),
        (("--since", "yesterday"), "--since yesterday is not a time; write 10m, 2h, 1d or 2026-01-31T12:00"),
        (("--execution", "?"), "has no execution whose id begins with ?; `pedigree executions` lists the last ones"),
    ],
)
def test_a_mistake_is_one_line(arguments: tuple[str, ...], message: str, local: LocalAws, tmp_path: Path) -> None:
    out, err = pedigree(local, tmp_path, "logs", *arguments, code=2)
    assert out == ""
    assert err.startswith("pedigree: ")
    assert err.endswith(f"{message}\n")
    assert err.count("\n") == 1


@pytest.mark.usefixtures("followed")
def test_selected_steps_run_and_the_log_names_who_ran_the_others(local: LocalAws, tmp_path: Path) -> None:
    first = pedigree(local, tmp_path, "executions")[0].splitlines()[-1].split()[0]
    out, _ = pedigree(local, tmp_path, "start", "--only", "Second", "Third", "--wait", "--every", "0.2")
    assert f"with the results of First from execution {first}" in out
    assert re.search(r"Succeeded, .*\n\Z", out)
    out, err = pedigree(local, tmp_path, "logs")
    assert [line.split()[0] for line in of_jobs(out)] == ["Second", "Second", "Third"]
    assert f"First was not run: its result is that of execution {first}; `pedigree logs First --execution" in err
    assert f"{first} --pipeline {NAME}` shows its log" in err


@pytest.mark.usefixtures("followed")
def test_every_verb_on_executions_works_without_a_project(local: LocalAws, go: Path, tmp_path: Path) -> None:
    go.unlink()
    identifier = pedigree(local, tmp_path, "start")[0].split()[2]
    assert identifier in pedigree(local, tmp_path, "executions")[0]
    assert "Third" in pedigree(local, tmp_path, "status", "--once")[0]
    pedigree(local, tmp_path, "stop", "--wait", "--every", "0.2")
    go.touch()
    assert "goes on" in pedigree(local, tmp_path, "retry", identifier, "--wait", "--every", "0.2")[0]
    assert "Succeeded" in pedigree(local, tmp_path, "status", identifier)[0]


@pytest.mark.usefixtures("followed")
def test_ctrl_c_ends_following_without_a_word_and_colors_are_for_a_terminal(
    local: LocalAws, go: Path, tmp_path: Path
) -> None:
    go.unlink()
    pedigree(local, tmp_path, "start")
    ours, theirs = pty.openpty()
    command = [*PEDIGREE, "logs", "--follow", "--every", "0.2", "--pipeline", NAME]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment(local),
        stdout=theirs,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=enable_interrupts,
    )
    os.close(theirs)
    assert re.match(rb"\x1b\[\d+mFirst +\x1b\[0m \| |\x1b\[\d+mFirst/algo-2\x1b\[0m", os.read(ours, 1000))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    os.close(ours)
    assert (process.returncode, err) == (130, "")
    go.touch()
    until(lambda: "Executing" not in pedigree(local, tmp_path, "executions", "--json")[0])
