"""What a rented machine does, done for real in a folder: every run leaves its log, says what became of it, and ends.

aws, shutdown and python are commands of this test: the first copies files in a folder that stands for S3, the second
writes down how it was called, and so does the third when it is to install something.
"""

from __future__ import annotations

import gzip
import io
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from pipeline.account.ec2_user_data import SCRIPT
from tests.support.processes import hear_interruptions

ENTRYPOINTS = Path(__file__).parents[3] / "entrypoints"
AWS = """#!/bin/sh
# aws s3 cp [flags] FROM TO
echo "aws $*" >> "$CALLS"
case "$*" in *"$BROKEN"*) [ -n "$BROKEN" ] && { echo "fatal error: Forbidden" >&2; exit 1; } ;; esac
while [ $# -gt 2 ]; do [ "$1" = --recursive ] && recursive=-R; shift; done
from=$(echo "$1" | sed "s#^s3://#$S3/#"); to=$(echo "$2" | sed "s#^s3://#$S3/#")
case "$to" in */*) mkdir -p "$(dirname "$to")" ;; esac
if [ -n "$recursive" ]; then cp -R "$from." "$to"; else cp "$from" "$to.part" && mv "$to.part" "$to"; fi
"""
SHUTDOWN = '#!/bin/sh\necho "shutdown $*" >> "$CALLS"\n'
PYTHON = """#!/bin/sh
[ "$2" = pip ] && { echo "$@" >> "$CALLS"; exit; }
PYTHONPATH="$PACKAGES:$PYTHONPATH" exec "$REAL" "$@"
"""
SUCCEEDS = """
import os, pathlib, sys
print("trained with", *sys.argv[1:])
assert sorted(os.listdir("data")) == ["train", "validation"], os.listdir("data")
pathlib.Path("model").mkdir()
pathlib.Path("model/model.pth").write_text("weights " + "".join(os.listdir("checkpoints")))
"""
FAILS = "import sys\nprint('it begins', flush=True)\nsys.exit('no memory')"
GOES_ON = """
import pathlib, signal, sys, time
def stop(*_):
    pathlib.Path("checkpoints/epoch-3").write_text("half of it")
    pathlib.Path("model").mkdir(exist_ok=True)
    pathlib.Path("model/model.pth").write_text("the best so far")
    sys.exit(143)
signal.signal(signal.SIGTERM, stop)
print("it goes on", flush=True)
time.sleep(60)
"""
PREPARES = """
import pathlib, sys
print("prepared with", *sys.argv[1:])
for name in ("train", "validation"):
    pathlib.Path("data", name).mkdir()
"""
TORCH = """
__version__ = "2.13"
class cuda:
    is_available = staticmethod(lambda: False)
    device_count = staticmethod(lambda: {})
"""


class Machine:
    """A folder in which the script runs, with its own S3 and its own commands."""

    def __init__(self, folder: Path, train: str = SUCCEEDS, devices: int = 0) -> None:
        self.folder, self.calls, self.s3 = folder, folder / "calls", folder / "s3"
        self.results = self.s3 / "mine/ec2/run1"
        (folder / "bin").mkdir()
        for name, text in (("aws", AWS), ("shutdown", SHUTDOWN), ("python", PYTHON)):
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)
        self._fake_torch(devices)
        for split in ("train", "validation"):
            (self.s3 / "mine/data" / split).mkdir(parents=True)
            (self.s3 / "mine/data" / split / "a.jpg").write_text("a")
        code = {path.name: path.read_text() for path in ENTRYPOINTS.glob("*.py")}
        code |= {"train.py": train, "prepare.py": PREPARES}
        self.sha256 = self._put_code(code)

    def _fake_torch(self, devices: int) -> None:
        for name in ("torch", "torchvision"):
            package = self.folder / "packages" / name
            (package / "distributed").mkdir(parents=True)
            (package / "__init__.py").write_text(TORCH.format(devices))
            (package / "distributed/__init__.py").touch()
            (package / "distributed/run.py").write_text("import sys; print('launched', *sys.argv[1:])")

    def _put_code(self, files: Mapping[str, str]) -> str:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for name, text in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(text.encode())
                tar.addfile(member, io.BytesIO(text.encode()))
        (self.s3 / "mine/code").mkdir()
        (self.s3 / "mine/code/source.tar.gz").write_bytes(gzip.compress(buffer.getvalue()))
        return sha256(buffer.getvalue()).hexdigest()

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin",  # the machine's own shutdown is not on it
            "PACKAGES": str(self.folder / "packages"),
            "REAL": sys.executable,
            "CALLS": str(self.calls),
            "S3": str(self.s3),
            "BROKEN": "",
            "CODE_URI": "s3://mine/code/source.tar.gz",
            "CODE_SHA256": self.sha256,
            "DATA_URI": "s3://mine/data",
            "SOURCE": "",
            "WEIGHTS_URI": "",
            "RESUME_URI": "",
            "RESULTS_URI": "s3://mine/ec2/run1",
            "UPLOAD_FLAGS": "",
            "PREPARE_FLAGS": "--image-size\n64",
            "TRAIN_FLAGS": "--epochs\n3\n--weights\nan odd one",
            "LIMIT_SECONDS": "60",
            "SHUTDOWN_MINUTES": "16",
            "PYTHON": str(self.folder / "bin/python"),
            "FOLDER": str(self.folder / "work"),
            "LOG_SECONDS": "0.2",
            **more,
        }

    def run(self, **more: str) -> str:
        """What became of it."""
        done = subprocess.run(
            ["/bin/bash", str(SCRIPT)],
            cwd=self.folder,
            env=self.environment(**more),
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.stderr == b""
        return self.outcome()

    def outcome(self) -> str:
        return (self.results / "outcome.txt").read_text().strip()

    @property
    def log(self) -> str:
        return (self.results / "train.log").read_text()

    def assert_ended(self) -> None:
        """The end was announced before anything else, and made at the very last."""
        calls = self.calls.read_text().splitlines()
        assert calls[0] == "shutdown -h +16"
        assert calls[-1] == "shutdown -h now"
        assert "outcome.txt" in calls[-2]


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
        preexec_fn=hear_interruptions,
    )
    with process:
        while not (machine.results / "train.log").exists() or "it goes on" not in machine.log:
            assert process.poll() is None
            os.sched_yield()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
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


def test_a_machine_that_was_told_nothing_ends_too(machine: Machine) -> None:
    told = {name: value for name, value in machine.environment().items() if name in ("PATH", "CALLS")}
    command = ["/bin/bash", str(SCRIPT)]
    subprocess.run(command, cwd=machine.folder, env=told, capture_output=True, timeout=60, check=False)
    assert machine.calls.read_text().splitlines()[0] == "shutdown -h +60"
    assert machine.calls.read_text().splitlines()[-1] == "shutdown -h now"
