"""Both SageMaker SDKs work as in a notebook, with no word about the local AWS in its code, and ask for nothing outside.

The role, the account and the bucket are what the SDKs find by themselves; jobs, a search, an execution and an endpoint
are real. The network has only loopback, and counts what would have left it; not so for the shapes of pipelines whose
images have environments of their own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pedigree.localaws.daemon import LocalAws
from tests.support.client_programs import SDK_2, python_with
from tests.support.images import images_file
from tests.support.local_aws import REGION, arn, client, running_local_aws
from tests.support.users import document
from tests.support.watched_machine import WatchedMachine, watched_machine

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "tests" / "fixtures" / "sdk"
ACCOUNT, ROLE = "123456789012", "notebook"
FOUND = f"arn:aws:iam::{ACCOUNT}:role/{ROLE} {ACCOUNT} sagemaker-us-east-1-{ACCOUNT}"
TRUST = document({"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"})
MAKE_ROLE = f"""
import boto3
iam = boto3.client("iam")
iam.create_role(RoleName="{ROLE}", AssumeRolePolicyDocument='{TRUST}')
for policy in ("AmazonSageMakerFullAccess", "AmazonS3FullAccess"):
    iam.attach_role_policy(RoleName="{ROLE}", PolicyArn="arn:aws:iam::aws:policy/" + policy)
"""
SAVE = """
import sys, torch
layer = torch.nn.Linear(2, 1, bias=False)
layer.weight.data.fill_(3.0)
torch.jit.save(torch.jit.trace(layer, torch.ones(1, 2)), sys.argv[1])
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedMachine]:
    """One environment stands for every image: none could be made without a way to pip's registry."""
    folder = tmp_path_factory.mktemp("machine")
    images = images_file(folder, ROOT / ".venv-container")
    with watched_machine(folder, "--images", str(images)) as started:
        started.run(sys.executable, "-c", MAKE_ROLE)
        yield started


@pytest.fixture(scope="module")
def sdk_2() -> Iterator[str]:
    """The Python of an environment that has version 2 of the SDK."""
    with tempfile.TemporaryDirectory() as folder:
        yield python_with(SDK_2, Path(folder, "sdk"))


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """Every image has its own environment, but Hugging Face's is the one of PyTorch: its layer has what that lacks."""
    folder = tmp_path_factory.mktemp("images")
    container = ROOT / ".venv-container"
    images = images_file(folder, container, pattern="huggingface-pytorch-training:*")
    with running_local_aws(folder / "local", enforces_iam=True, images=images, container=container) as local:
        iam = client(local.url, "iam")
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=TRUST)
        for policy in ("AmazonSageMakerFullAccess", "AmazonS3FullAccess"):
            iam.attach_role_policy(RoleName=ROLE, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        yield local


def printed(machine: WatchedMachine, python: str, notebook: str) -> list[str]:
    """What a notebook prints; it has its own copy of its files, since version 2 adds some to a source_dir."""
    folder = machine.folder / notebook
    shutil.copytree(NOTEBOOKS / "live", folder / "live")
    shutil.copy(NOTEBOOKS / notebook, folder)
    lines = machine.run(python, str(folder / notebook), role=ROLE).splitlines()
    return [line.lstrip("!") for line in lines if line.lstrip("!")]  # the SDK's own marks while it waits


def test_version_3(machine: WatchedMachine) -> None:
    lines = printed(machine, sys.executable, "live_v3.py")
    executed = "executed: Each Succeeded Train Succeeded Try-0 Succeeded Try-1 Succeeded"
    assert lines[-4:] == [FOUND, "trained: Completed", "tuned: True", executed]


def test_version_2(machine: WatchedMachine, sdk_2: str) -> None:
    lines = printed(machine, sdk_2, "live_v2.py")
    steps = ("Prepare", "Register-RegisterModel", "Register-RepackModel-0", "Train")
    executed = f"executed: {' '.join(f'{step} Succeeded' for step in steps)}"
    assert FOUND in lines
    assert lines[-6:] == [
        "tuned: True True",
        executed,
        "lineage: Prepare Input:DataSet Input:DataSet Input:DataSet Input:Image Output:DataSet",
        "lineage: Register-RegisterModel Input:Image Input:Model Output:ModelGroup",
        "lineage: Train Input:DataSet Input:Image Output:Model",
        'predicted: {"rows": 6, "rate": 0.1}',
    ]


def printed_by(local: LocalAws, python: str, notebook: Path) -> list[str]:
    """What a notebook prints that has the role's credentials."""
    variables = {"PATH": os.environ["PATH"], "HOME": str(notebook.parent), "AWS_DEFAULT_REGION": REGION}
    role = local.credentials(f"arn:aws:iam::{ACCOUNT}:role/{ROLE}", "sagemaker.amazonaws.com", arn("sagemaker", "*"))
    done = subprocess.run([python, notebook], env={**variables, **role}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line.lstrip("!") for line in done.stdout.splitlines() if ": " in line]


def test_shapes_of_pipelines_by_version_2(local: LocalAws, sdk_2: str, tmp_path: Path) -> None:
    """Preparing with scikit-learn, a search by a script of XGBoost, a model of both, transformers, and functions."""
    shutil.copytree(NOTEBOOKS / "shapes", tmp_path / "shapes")
    notebook = Path(shutil.copy(NOTEBOOKS / "shapes_v2.py", tmp_path))
    assert printed_by(local, sdk_2, notebook)[-4:] == [
        "executed: Both-CreateModel Succeeded Language Succeeded Prepare Succeeded Score Succeeded Search Succeeded",
        "scored: 60 True",
        "executed: Add Succeeded Count Succeeded",
        'added: {"sum": 45}',
    ]


def test_functions_by_version_3(local: LocalAws, tmp_path: Path) -> None:
    notebook = Path(shutil.copy(NOTEBOOKS / "functions_v3.py", tmp_path))
    lines = printed_by(local, sys.executable, notebook)
    assert lines[-2:] == ["executed: Add Succeeded Count Succeeded", 'added: {"sum": 45}']


def test_model_builder_of_version_3(machine: WatchedMachine) -> None:
    saved, archive = machine.folder / "model.pth", machine.folder / "model.tar.gz"
    subprocess.run([ROOT / ".venv-container" / "bin" / "python", "-c", SAVE, str(saved)], check=True)
    with tarfile.open(archive, "w:gz") as file:
        file.add(saved, "model.pth")
    program = str(NOTEBOOKS / "live_model_builder.py")
    assert machine.run(sys.executable, program, str(archive), role=ROLE).endswith("predicted: [[9.0]]\n")
