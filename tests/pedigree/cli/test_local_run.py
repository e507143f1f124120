"""`pedigree local run`: a pipeline of anybody's runs on the local AWS, from a folder that has nothing else."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws import process
from tests.pedigree.cli.test_commands import run
from tests.support.cli import INSTALLED, environment
from tests.support.images import images_file
from tests.support.local_aws import client
from tests.support.processes import enable_interrupts
from tests.support.scripts import write_script

ROLE = "arn:aws:iam::111122223333:role/service-role/Owner"
WRITE = "import sys; open('/opt/ml/processing/said/words.txt', 'w').write(sys.argv[1])"
PARAMETERS = [
    {"Name": "Word", "Type": "String", "DefaultValue": "hello"},
    {"Name": "Times", "Type": "Integer", "DefaultValue": 1},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with nothing of a project; its local AWS is kept from one test to the next."""
    folder = tmp_path_factory.mktemp("empty")
    images_file(folder, pattern="image:*")
    yield folder
    process.down(folder / ".localaws")


def step(code: str = WRITE, **more: Any) -> dict[str, Any]:
    output = {"Std:Join": {"On": "/", "Values": ["s3://words", {"Get": "Execution.PipelineExecutionId"}]}}
    arguments = {
        "RoleArn": ROLE,
        "AppSpecification": {
            "ImageUri": "image",
            "ContainerEntrypoint": ["python3", "-c", code],
            "ContainerArguments": [{"Get": "Parameters.Word"}],
        },
        "ProcessingResources": {"ClusterConfig": {"InstanceType": "local", "InstanceCount": 1, "VolumeSizeInGB": 1}},
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "said",
                    "S3Output": {
                        "LocalPath": "/opt/ml/processing/said",
                        "S3Uri": output,
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        **more,
    }
    return {"Name": "Say", "Type": "Processing", "Arguments": arguments}


def define(folder: Path, name: str, *steps: dict[str, Any]) -> str:
    definition = {"Version": "2020-12-01", "Parameters": PARAMETERS, "Steps": list(steps)}
    (folder / name).write_text(json.dumps(definition))
    return name


def local_run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run("local", "run", *arguments, cwd=folder)


def local_client(folder: Path, service: str) -> Any:
    running = process.find(folder / ".localaws")
    assert running is not None
    return client(running.url, service, running.key)


def test_a_definition_of_another_account_runs_with_roles_and_buckets_made_for_it(folder: Path) -> None:
    done = local_run(folder, define(folder, "words.json", step()), "--set", "Word=hi")
    assert done.returncode == 0, done.stderr
    for line in ("+ role Owner", "+ bucket words", "+ pipeline words", "with Word=hi"):
        assert line in done.stdout
    assert "ARNs of account 111122223333 are read as those of the local account, 123456789012" in done.stderr
    address = done.stdout.split()[-1]
    key = f"{address.removeprefix('s3://words/')}/words.txt"
    assert local_client(folder, "s3").get_object(Bucket="words", Key=key)["Body"].read() == b"hi"


def test_a_second_run_says_what_it_changes(folder: Path) -> None:
    local_run(folder, define(folder, "twice.json", step()))
    assert "pipeline twice is up to date" in local_run(folder, "twice.json").stdout
    changed = local_run(folder, define(folder, "twice.json", step(), {**step(), "Name": "Again"}))
    assert "~ pipeline twice" in changed.stdout
    assert "step Again added: Processing" in changed.stdout


def test_a_role_that_is_there_keeps_its_permissions(folder: Path) -> None:
    local_run(folder, define(folder, "first.json", step()))
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    local_client(folder, "iam").create_role(RoleName="Mine", AssumeRolePolicyDocument=document)
    done = local_run(folder, "first.json", "--role", "arn:aws:iam::123456789012:role/Mine")
    assert "+ role" not in done.stdout
    assert local_client(folder, "iam").list_role_policies(RoleName="Mine")["PolicyNames"] == []


def test_a_failure_says_step_and_reason_and_the_end_of_the_log(folder: Path) -> None:
    done = local_run(folder, define(folder, "bad.json", step("raise ValueError('no words')")))
    assert done.returncode == 1
    assert "Say failed: ClientError: AlgorithmError: See job logs for more information" in done.stdout
    assert "  | ValueError: no words" in done.stdout
    assert done.stdout.index("Say failed:") < done.stdout.rindex(": Failed")


def test_values_are_checked_against_the_declared_parameters(folder: Path) -> None:
    define(folder, "words.json", step())
    unknown = local_run(folder, "words.json", "--set", "Bogus=1")
    assert (unknown.returncode, "Bogus is not a parameter" in unknown.stderr) == (2, True)
    assert unknown.stderr.rstrip().endswith("there are Word, Times")
    assert 'Times = "x" cannot be; give a whole number' in local_run(folder, "words.json", "--set", "Times=x").stderr


INPUT = [{"InputName": "in", "S3Input": {"S3Uri": "s3://data/raw", "LocalPath": "/opt/ml/processing/in"}}]
NOT_RUNNABLE = {
    "an input that is not there": (
        step(ProcessingInputs=INPUT),
        'Say reads s3://data/raw, and nothing is there; put it there: eval "$(pedigree local up)" && aws s3 cp ',
    ),
    "a type that has no runner": (
        {"Name": "Big", "Type": "EMR", "Arguments": {}},
        "The local AWS runs no steps of these types: Big (EMR); leave them out for this machine",
    ),
    "the program of an image": (
        step(AppSpecification={"ImageUri": "spark"}),
        "Step Say: AppSpecification has no ContainerEntrypoint: the program is inside of the image spark,",
    ),
    "an image of which nothing is known": (
        step(AppSpecification={"ImageUri": "mine:1", "ContainerEntrypoint": ["true"]}),
        "Step Say: nothing says what stands for the image mine:1, and the local AWS pulls no images; describe it in",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NOT_RUNNABLE)
def test_what_cannot_run_here_is_refused_by_name_before_it_starts(folder: Path, case: str) -> None:
    refused, message = NOT_RUNNABLE[case]
    done = local_run(folder, define(folder, "other.json", refused))
    assert done.returncode == 2
    assert message in done.stderr
    names = [
        pipeline["PipelineName"] for pipeline in local_client(folder, "sagemaker").list_pipelines()["PipelineSummaries"]
    ]
    assert "other" not in names


def test_ctrl_c_leaves_the_execution_and_says_how_to_follow_and_stop_it(folder: Path) -> None:
    define(folder, "slow.json", step("import time; time.sleep(1000)"))
    command = [str(INSTALLED), "local", "run", "slow.json"]
    with subprocess.Popen(
        command, cwd=folder, env=environment(PYTHONUNBUFFERED="1"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, preexec_fn=enable_interrupts,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        next(line for line in running.stdout if "Say Executing" in line)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    [execution] = local_client(folder, "sagemaker").list_pipeline_executions(PipelineName="slow")[
        "PipelineExecutionSummaries"
    ]
    identifier = execution["PipelineExecutionArn"].rpartition("/")[2]
    assert f"`pedigree stop {identifier} --pipeline slow` stops it" in said
    local_client(folder, "sagemaker").stop_pipeline_execution(
        PipelineExecutionArn=execution["PipelineExecutionArn"], ClientRequestToken="t" * 32
    )


def test_a_script_runs_with_what_it_uploads_and_the_values_of_its_start(folder: Path) -> None:
    (folder / "say.py").write_text(WRITE)
    code = f"""
    import boto3
    s3 = boto3.client("s3", endpoint_url="https://s3.us-east-1.amazonaws.com")
    s3.upload_file("say.py", "uploads", "code/say.py")
    STEP = {step()!r}
    STEP["Arguments"]["AppSpecification"]["ContainerEntrypoint"] = ["python3", "/opt/ml/processing/code/say.py"]
    STEP["Arguments"]["ProcessingInputs"] = [
        {{"InputName": "code", "S3Input": {{
            "S3Uri": "s3://uploads/code/say.py", "LocalPath": "/opt/ml/processing/code",
            "S3DataType": "S3Prefix", "S3InputMode": "File",
        }}}}
    ]
    class Own(Pipeline):
        def definition(self):
            import json
            return json.dumps({{**json.loads(super().definition()), "Parameters": {PARAMETERS!r}}})
    pipeline = Own("of-a-script", [STEP])
    pipeline.upsert(role_arn="{ROLE}")
    pipeline.start(parameters={{"Word": "ciao"}})
    """
    write_script(folder, code)
    done = local_run(folder, "pipeline.py")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "with Word=ciao" in done.stdout
    key = f"{done.stdout.split()[-1].removeprefix('s3://words/')}/words.txt"
    assert local_client(folder, "s3").get_object(Bucket="words", Key=key)["Body"].read() == b"ciao"
