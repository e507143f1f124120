"""`pedigree start --data` uploads a user's own pictures once, and starts an execution with their address."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from tests.pipeline.commands.test_own_data import classes, folder_of
from tests.support.accounts import client
from tests.support.cli import pedigree
from tests.support.definitions import define
from tests.support.fakes.aws import ACCOUNT, REGION, aws

BUCKET = f"pedigree-{ACCOUNT}-{REGION}"
DATA = f"s3://{BUCKET}/pedigree/data"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where an account with the bucket and the pipeline is reached."""
    with aws():
        client("s3").create_bucket(Bucket=BUCKET)
        role = f"arn:aws:iam::{ACCOUNT}:role/pedigree-pipeline"
        document = json.dumps(define())
        client("sagemaker").create_pipeline(PipelineName="dog-breeds", PipelineDefinition=document, RoleArn=role)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


def stored() -> list[str]:
    return [item["Key"] for item in client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", ())]


def started() -> list[str]:
    """The data of each execution."""
    listed = client("sagemaker").list_pipeline_executions(PipelineName="dog-breeds")["PipelineExecutionSummaries"]
    values = []
    for execution in listed:
        arn = execution["PipelineExecutionArn"]
        given = client("sagemaker").list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
        values += [parameter["Value"] for parameter in given["PipelineParameters"]]
    return values


def test_a_dry_run_shows_the_upload_and_makes_none(address: str, tmp_path: Path) -> None:
    done = pedigree(address, "start", "--data", str(folder_of(classes(), tmp_path)), "--dry-run")
    assert done.returncode == 0, done.stderr
    upload, size, execution, value, count = done.stdout.splitlines()
    assert upload.startswith("  + data pedigree/data/")
    assert size.startswith("      16 pictures, 0.0")
    assert execution.startswith("  + execution manual-")
    assert value.startswith(f"      InputDataUrl = {DATA}/")
    assert count == "To do: 2 to create."
    assert stored() == []


def test_the_same_pictures_are_uploaded_once_and_every_start_gets_their_address(address: str, tmp_path: Path) -> None:
    folder = folder_of(classes(), tmp_path)
    first, second = (pedigree(address, "start", "--data", str(folder)) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    (key,) = stored()
    assert f"  + data {key}\n" in first.stdout
    assert "+ data" not in second.stdout
    assert client("sagemaker").list_pipeline_executions(PipelineName="dog-breeds")["PipelineExecutionSummaries"]
    assert set(started()) == {f"s3://{BUCKET}/{key}"}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--data", "/nowhere"], "/nowhere does not exist; give a folder, a zip, or an address"),
        (["--data", "http://host/a.zip"], "http://host/a.zip cannot be used; name a folder, a zip, an https://"),
        (["--data", "s3://other/a.zip"], "the role of jobs may not read s3://other/a.zip; copy it below"),
        (["--data", f"{DATA}/none.zip"], f"{DATA}/none.zip holds nothing; check the address"),
        (["--data", "https://host/a.zip", "InputDataUrl=x"], "InputDataUrl is given 2 times; give it once"),
        (
            ["--data", "a", "--pipeline", "b", "--region", REGION],
            "--data is for the project's own pipeline, and --pipeline names",
        ),
    ],
)
def test_what_cannot_be_started_with_is_one_line(address: str, arguments: list[str], line: str) -> None:
    done = pedigree(address, "start", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"pedigree: {line}"), done.stderr
    assert done.stderr.count("\n") == 1


def test_an_address_is_passed_on_as_it_is(address: str) -> None:
    done = pedigree(address, "start", "--data", "https://host/pictures.zip", "--dry-run")
    assert "      InputDataUrl = https://host/pictures.zip\n" in done.stdout
