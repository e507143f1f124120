"""`make run` as a newcomer runs it: it needs only this machine, and ends with an endpoint that answers.

It runs for minutes: real trials, real training on two hosts, a real endpoint. `make test-whole` runs it.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pedigree.localaws import process
from tests.support.processes import enable_interrupts
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
PEDIGREE = str(Path(sys.executable).with_name("pedigree"))
MOST_SECONDS = 900.0
NOISE = 0.08  # of an accuracy on 96 pictures
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PEDIGREE"))}


@dataclass(frozen=True)
class FinishedRun:
    """The exit code, output and duration of a run."""

    code: int
    text: str
    seconds: float


def run(folder: Path, *arguments: str) -> FinishedRun:
    since = time.monotonic()
    command = [PEDIGREE, "run", "--folder", str(folder), *arguments]
    done = subprocess.run(command, cwd=ROOT, env=CLEAN, capture_output=True, text=True, timeout=MOST_SECONDS)
    return FinishedRun(done.returncode, done.stdout + done.stderr, time.monotonic() - since)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    found = tmp_path_factory.mktemp("local") / "aws"
    yield found
    process.reset(found)


@pytest.fixture(scope="module")
def first(folder: Path) -> FinishedRun:
    return run(folder)


@pytest.fixture(scope="module")
def second(folder: Path, first: FinishedRun) -> FinishedRun:
    return run(folder)


def test_it_ends_with_an_endpoint_that_answers(first: FinishedRun, folder: Path) -> None:
    assert first.code == 0, first.text
    assert re.search(r"Trials +4 of 4 completed; the best has", first.text)
    assert re.search(r"Champion +\w+: [0-9.]+% of 96 test pictures right", first.text)
    assert re.search(r"Endpoint +dog-breeds: InService, dog-breeds-v1-", first.text)
    assert (folder / "results" / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_the_champion_has_learned_the_drawn_classes(first: FinishedRun) -> None:
    (accuracy,) = re.findall(r"Champion +\w+: ([0-9.]+)%", first.text)
    assert float(accuracy) >= 90


def test_one_host_and_two_hosts_learn_the_same(first: FinishedRun) -> None:
    reached = dict(re.findall(r"(Train\w+) Succeeded .*validation:accuracy ([0-9.]+)", first.text))
    assert float(reached["TrainDistributed"]) == pytest.approx(float(reached["TrainBest"]), abs=NOISE)


def test_the_example_is_recognized(first: FinishedRun) -> None:
    (answer,) = re.findall(r"Prediction +[0-9]+\.(\S+): (.+?) ([0-9]+)%", first.text)
    folder, label, percent = answer
    assert label == folder.replace("_", " ")
    assert int(percent) >= 80


def test_every_step_has_run_as_its_role(first: FinishedRun) -> None:
    ended = dict(re.findall(r"^[0-9:]{8} (\w+) (Succeeded|Failed)", first.text, re.MULTILINE))
    steps = ("PrepareData", "Tune", "TrainBest", "TrainDistributed", "Evaluate", "QualityGate", "RegisterModel")
    assert ended == dict.fromkeys((*steps, "DeployEndpoint", "AwaitEndpoint", "ConfigureAutoscaling"), "Succeeded")


def test_a_second_run_reuses_the_cached_steps(first: FinishedRun, second: FinishedRun) -> None:
    assert second.code == 0, second.text
    reused = re.findall(r"^[0-9:]{8} (\w+) Succeeded.*reused from", second.text, re.MULTILINE)
    assert set(reused) >= {"PrepareData", "Tune", "TrainBest", "TrainDistributed", "Evaluate"}
    assert "Nothing to change" in second.text
    assert second.seconds < first.seconds / 3


@pytest.mark.usefixtures("second")
def test_other_verbs_work_on_the_same_local_aws(folder: Path) -> None:
    script = f'eval "$({PEDIGREE} local up --folder {folder})" && "$@"'

    def pedigree(*arguments: str) -> str:
        shell = ["sh", "-c", script, "sh", PEDIGREE, *arguments]
        return subprocess.run(shell, cwd=ROOT, env=CLEAN, capture_output=True, text=True, check=True).stdout

    assert "Champion" in pedigree("results")
    assert "InService" in pedigree("endpoint-status")
    assert "%" in pedigree("predict", "--image", str(folder / "results" / "example.jpg"))


def test_an_interruption_leaves_nothing_running(tmp_path: Path) -> None:
    folder, log = tmp_path / "aws", tmp_path / "log"
    with log.open("w") as file:
        running = subprocess.Popen(
            [PEDIGREE, "run", "--folder", str(folder)], cwd=ROOT, env=CLEAN, stdout=file, stderr=file,
            preexec_fn=enable_interrupts,
        )  # fmt: skip
        try:
            until(
                lambda: "PrepareData Executing" in log.read_text() or running.poll() is not None, seconds=MOST_SECONDS
            )
            assert running.poll() is None, "it has ended before"
            running.send_signal(signal.SIGINT)
            assert running.wait(300) == 130
        finally:
            running.kill()
            process.down(folder)
    assert "ending what was started here" in log.read_text()
    assert not process.is_running(folder)
    assert not [command for command in _commands() if str(folder) in command]


def _commands() -> list[str]:
    """The command lines of all processes."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # it has just ended
    return found
