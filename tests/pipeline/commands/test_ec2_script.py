"""What a rented machine does, done for real in a folder: every run leaves its log, says what became of it, and ends."""

from __future__ import annotations

import os
import signal
import subprocess
import tarfile
from pathlib import Path

import pytest

from pipeline.account.ec2.user_data import SCRIPT
from tests.support.processes import enable_interrupts
from tests.support.rented_machine import (
    FAILS,
    GOES_ON,
    Machine,
)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_run_that_succeeds_leaves_its_model_and_its_log(machine: Machine) -> None:
    assert machine.run() == "succeeded"
    with tarfile.open(machine.results / "model.tar.gz") as tar:
        assert tar.getnames() == ["model.pth"]
    assert "--epochs 3 --weights an odd one" in machine.log
    assert not (machine.results / "checkpoints.tar.gz").exists()
    machine.assert_ended()


def test_images_that_are_not_prepared_are_prepared_first(machine: Machine) -> None:
    assert machine.run(DATA_URI="", SOURCE="https://host/a b.zip?x=1&y=$2") == "succeeded"
    assert "prepared with --source https://host/a b.zip?x=1&y=$2 --output-dir data --image-size 64" in machine.log


def test_weights_and_checkpoints_are_fetched(machine: Machine) -> None:
    (machine.s3 / "mine/w.pth").write_text("w")
    with tarfile.open(machine.s3 / "mine/old.tar.gz", "w:gz") as tar:
        tar.add(machine.calls.parent / "bin/aws", "epoch-7")
    assert machine.run(WEIGHTS_URI="s3://mine/w.pth", RESUME_URI="s3://mine/old.tar.gz") == "succeeded"
    assert (machine.folder / "work/weights.pth").read_text() == "w"
    with tarfile.open(machine.results / "model.tar.gz") as tar:
        model = tar.extractfile("model.pth")
        assert model is not None
        assert model.read() == b"weights epoch-7"


def test_what_the_image_lacks_is_installed_beside_its_torch(machine: Machine) -> None:
    (machine.folder / "packages/torchvision/__init__.py").write_text("import nothing_of_that_name")
    assert machine.run() == "succeeded"
    installed = [call for call in machine.calls.read_text().splitlines() if "pip" in call]
    assert installed == ["-m pip install --quiet boto3 numpy pillow torchvision torch==2.13"]


def test_several_gpus_train_together(tmp_path: Path) -> None:
    machine = Machine(tmp_path, devices=4)
    machine.run()
    assert "launched --standalone --nproc-per-node 4 code/train.py --data data --model-dir model" in machine.log


def test_uploads_are_encrypted_where_settings_say_so(machine: Machine) -> None:
    assert machine.run(UPLOAD_FLAGS="--sse\naws:kms\n--sse-kms-key-id\narn:aws:kms:x") == "succeeded"
    uploads = [call for call in machine.calls.read_text().splitlines() if call.endswith("run1/model.tar.gz")]
    assert uploads == [
        "aws s3 cp --only-show-errors --sse aws:kms --sse-kms-key-id arn:aws:kms:x model.tar.gz s3://mine/ec2/run1/model.tar.gz"
    ]


def test_a_training_that_fails_leaves_its_log(tmp_path: Path) -> None:
    machine = Machine(tmp_path, FAILS)
    assert machine.run() == "failed: training ended with 1"
    assert "it begins\nno memory\n" in machine.log
    assert not (machine.results / "model.tar.gz").exists()
    machine.assert_ended()


def test_a_training_that_is_out_of_time_leaves_its_log_its_best_model_and_its_checkpoints(tmp_path: Path) -> None:
    machine = Machine(tmp_path, GOES_ON)
    assert machine.run(LIMIT_SECONDS="4") == "stopped: time was up while training"
    assert "it goes on" in machine.log
    with tarfile.open(machine.results / "model.tar.gz") as tar:
        assert tar.getnames() == ["model.pth"]
    with tarfile.open(machine.results / "checkpoints.tar.gz") as tar:
        assert "./epoch-3" in tar.getnames()
    machine.assert_ended()


def test_a_machine_that_is_taken_away_leaves_the_same(tmp_path: Path) -> None:
    """Spot machines are shut down two minutes after a warning, which stops what runs on them."""
    machine = Machine(tmp_path, GOES_ON)
    process = subprocess.Popen(
        ["/bin/bash", str(SCRIPT)],
        cwd=machine.folder,
        env=machine.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=enable_interrupts,
    )
    with process:
        while not (machine.results / "train.log").exists() or "it goes on" not in machine.log:
            assert process.poll() is None
            os.sched_yield()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=300)
    assert machine.outcome() == "interrupted: training"
    with tarfile.open(machine.results / "checkpoints.tar.gz") as tar:
        assert "./epoch-3" in tar.getnames()
    machine.assert_ended()


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({"CODE_SHA256": "0" * 64}, "failed: checking the code ended with 1"),
        ({"CODE_URI": "s3://mine/nowhere.tar.gz"}, "failed: fetching the code ended with 1"),
        ({"DATA_URI": "s3://mine/nowhere"}, "failed: fetching the images ended with 1"),
        ({"PYTHON": "/nowhere/python"}, "failed: looking for torch ended with 127"),
        ({"BROKEN": "s3://mine/ec2/run1/model"}, "failed: uploading the model"),
    ],
)
def test_whatever_fails_the_machine_ends(machine: Machine, more: dict[str, str], outcome: str) -> None:
    assert machine.run(**more) == outcome
    machine.assert_ended()


def test_a_machine_that_may_upload_nothing_ends_too(machine: Machine) -> None:
    done = subprocess.run(
        ["/bin/bash", str(SCRIPT)],
        cwd=machine.folder,
        env=machine.environment(BROKEN="ec2/run1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "fatal error: Forbidden" in done.stdout  # the console shows the end of the log
    assert machine.calls.read_text().splitlines()[-1] == "shutdown -h now"


def test_a_machine_without_instructions_ends_too(machine: Machine) -> None:
    environment = {name: value for name, value in machine.environment().items() if name in ("PATH", "CALLS")}
    command = ["/bin/bash", str(SCRIPT)]
    subprocess.run(command, cwd=machine.folder, env=environment, capture_output=True, timeout=300, check=False)
    assert machine.calls.read_text().splitlines()[0] == "shutdown -h +60"
    assert machine.calls.read_text().splitlines()[-1] == "shutdown -h now"
