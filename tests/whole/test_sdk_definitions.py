"""The output of both versions of the SageMaker SDK runs on the local AWS unchanged: definitions, code and drivers."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pedigree.localaws.daemon import LocalAws
from tests.support.local_aws import client, running_local_aws
from tests.support.sdk_definitions import FOLDER
from tests.support.sdk_executions import BUCKET, create_role, execute

ROOT = Path(__file__).parents[2]
CONTAINER = ROOT / ".venv-container"
SCORE = """
def lambda_handler(event, context):
    assert event.get("best", 3) == 3 and event.get("count", 2) == 2, event
    return {"items": event.get("items", ""), "score": len(event.get("item", ""))}
"""


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local"), enforces_iam=True, container=CONTAINER.resolve()) as local:
        yield local


@pytest.fixture(scope="module")
def made_now(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """New examples of version 3, with the drivers that the SDK uploads beside them."""
    folder = tmp_path_factory.mktemp("made")
    maker = [sys.executable, str(FOLDER / "make_v3.py"), "runs_locally", "for_each"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    subprocess.run(maker, env={**environment, "SDK_DEFINITIONS": str(folder)}, check=True, capture_output=True)
    return folder / "v3"


@pytest.fixture(scope="module")
def account(local: LocalAws) -> LocalAws:
    """The account that the examples expect: a bucket, a role, a function."""
    functions = client(local.url, "lambda")
    role = create_role(local)
    announce = (FOLDER / "scripts" / "announce.py").read_text(encoding="utf-8")
    for name, text in (("sagemaker-announce", announce), ("sagemaker-score", SCORE)):
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("function.py", text)
        functions.create_function(
            FunctionName=name, Role=role, Runtime="python3.13", Handler="function.lambda_handler",
            Code={"ZipFile": code.getvalue()},
        )  # fmt: skip
    return local


def uploaded(definition: str) -> Iterator[tuple[str, bytes]]:
    """The scripts, at the keys under which a definition names them: single ones, or all in an archive."""
    scripts = {path.name: path.read_bytes() for path in (FOLDER / "scripts").iterdir()}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(FOLDER / "scripts", arcname=".")
    contents = {**scripts, "sourcedir.tar.gz": packed.getvalue()}
    for key in re.findall(rf's3://{BUCKET}/([^"\\]+)', definition):
        name = key.rpartition("/")[2]
        if name in contents:
            yield key, contents[name]


def test_a_definition_written_by_sdk_version_2_runs(account: LocalAws) -> None:
    definition = (FOLDER / "v2" / "runs-locally.json").read_text(encoding="utf-8")
    ended = execute(account, "two", definition, uploaded(definition))
    names = ("Prepare", "Search", "Train", "AbaloneEval", "Good", "Register-RegisterModel", "Announce")
    assert ended == dict.fromkeys(names, "Succeeded")


def test_a_definition_written_by_sdk_version_3_runs(account: LocalAws, made_now: Path) -> None:
    definition = (made_now / "runs-locally.json").read_text(encoding="utf-8")
    code = made_now / "runs-locally"
    files = [path for path in code.rglob("*") if path.is_file()]
    ended = execute(
        account, "three", definition, ((path.relative_to(code).as_posix(), path.read_bytes()) for path in files)
    )
    names = ("Prepare", "Search", "Train", "Evaluate", "Good", "Register", "Announce")
    assert ended == dict.fromkeys(names, "Succeeded")


def trained(local: LocalAws) -> list[str]:
    """The archives of the models that jobs have trained."""
    found = client(local.url, "s3").list_objects_v2(Bucket=BUCKET, Prefix="trained/").get("Contents", [])
    return [each["Key"] for each in found if each["Key"].endswith("model.tar.gz")]


def test_a_definition_with_a_step_for_each_item_runs_and_cleans_up_behind_itself(
    account: LocalAws, made_now: Path
) -> None:
    s3 = client(account.url, "s3")
    s3.put_object(Bucket=BUCKET, Key="abalone/train/x.csv", Body=b"1\n2\n")
    written = (made_now / "for-each.json").read_text(encoding="utf-8")
    definition = written.replace("sagemaker-announce", "sagemaker-score").replace(
        '[\\"a\\", \\"b\\"]', '[\\"a\\", \\"bcd\\"]'
    )
    code, before = made_now / "for-each", trained(account)
    files = [path for path in code.rglob("*") if path.is_file()]
    uploaded_now = ((path.relative_to(code).as_posix(), path.read_bytes()) for path in files)
    ended = execute(account, "each", definition, uploaded_now)
    names = ("List", "Each", "Score-0", "Score-1", "Train", "Announce", "Clean")
    assert ended == dict.fromkeys(names, "Succeeded")
    assert trained(account) == before
