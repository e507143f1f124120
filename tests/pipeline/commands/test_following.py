"""Executions as a user meets them: real processes, and a server on this machine that stands for AWS."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import PEDIGREE, aws_environment, pedigree
from tests.support.fakes.clients import FAULTS, CallLog
from tests.support.fakes.executions import Executions, ExecutionState, Logs, arn, job_metadata, listed_step
from tests.support.fakes.predict_function import FakePredict, function_answer
from tests.support.fakes.served_services import serve
from tests.support.processes import enable_interrupts

QUICK = ("--every", "0.1")


class World:
    """What there is, and where."""

    def __init__(self) -> None:
        self.executions, self.logs, self.predict, self.wire = Executions(), Logs(), FakePredict(), CallLog()
        self.services = {"sagemaker": self.executions, "logs": self.logs, "lambda": self.predict}
        self.address = ""

    def __call__(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return pedigree(self.address, *arguments, **more)


@pytest.fixture
def world() -> Iterator[World]:
    it = World()
    with serve(it.services, it.wire) as it.address:
        yield it


def begun(*steps: dict[str, Any]) -> ExecutionState:
    return ExecutionState("Executing", steps)


TUNED = listed_step("PrepareData", "Succeeded", CacheHitResult={"SourcePipelineExecutionArn": arn("older")})
FAILED = ExecutionState(
    "Failed",
    (
        TUNED,
        listed_step(
            "Tune", "Failed", FailureReason="AlgorithmError: exit 1", Metadata=job_metadata("TrainingJob", "train-1")
        ),
    ),
    "Step failure: one or more steps failed.",
)


def test_starting_tells_what_was_started_where_to_see_it_and_how_to_follow_it(world: World) -> None:
    done = world("start", "Epochs=10", "--name", "ten-epochs")
    assert done.stdout.splitlines() == [
        "started execution new1 (ten-epochs)",
        arn("new1"),
        "follow it: `pedigree status new1`   stop it: `pedigree stop new1`",
    ]
    assert (done.returncode, done.stderr) == (0, "")


def test_starting_dry_shows_it_and_starts_nothing(world: World) -> None:
    done = world("start", "Epochs=10", "--name", "ten-epochs", "--dry-run")
    assert done.stdout == "  + execution ten-epochs\n      Epochs = 10\nTo do: 1 to create.\n"
    assert not world.executions.started


def test_wrong_values_are_reported_before_anything_starts(world: World) -> None:
    done = world("start", "Epoch=10", "Thorough=maybe")
    assert done.stderr.splitlines() == [
        "pedigree: Epoch is not a parameter of the pipeline; did you mean Epochs?",
        'pedigree: Thorough = "maybe" cannot be; give true or false',
    ]
    assert (done.returncode, done.stdout, world.executions.started) == (2, "", [])


def test_starting_and_waiting_ends_with_the_outcome(world: World) -> None:
    world.executions.begins = [begun(), begun(TUNED, listed_step("Tune", "Executing")), FAILED]
    done = world("start", "--wait", *QUICK)
    assert done.returncode == 1
    assert done.stdout.endswith("Step failure: one or more steps failed.\n")


def test_without_a_terminal_there_is_a_line_for_whatever_changes(world: World) -> None:
    world.logs.groups["/aws/sagemaker/TrainingJobs"] = {"train-1/algo-1-1": ["Traceback", "ValueError: \x1b[31mno"]}
    running = listed_step("Tune", "Executing", Metadata=job_metadata("TrainingJob", "train-1"))
    world.executions.add("run1", begun(), begun(TUNED, running), begun(TUNED, running), FAILED)
    done = world("status", *QUICK)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("execution run1 by-hand: Executing, ")
    assert [line[9:] for line in lines[1:4]] == [
        "PrepareData Succeeded after 1 min: reused from older",
        "Tune Executing",
        "Tune Failed after 1 min: AlgorithmError: exit 1",
    ]
    assert lines[4:] == [
        f"{lines[4][:8]} TrainBest Not run",
        "",
        "Tune failed: AlgorithmError: exit 1",
        "the end of /aws/sagemaker/TrainingJobs train-1/algo-1-1:",
        "  | Traceback",
        r"  | ValueError: \x1b[31mno",
        "execution run1 by-hand: Failed, 1 h 30 min, by pedigree-scheduler/abc",
        "Step failure: one or more steps failed.",
    ]
    assert (done.returncode, done.stderr) == (1, "")


def test_once_is_a_table_of_now_whatever_comes_later(world: World) -> None:
    world.executions.add("run1", begun(TUNED, listed_step("Tune", "Executing", AttemptCount=2)))
    done = world("status", "--once")
    rows = [line.split("  ") for line in done.stdout.splitlines()[:4]]
    assert [[cell.strip() for cell in row if cell.strip()] for row in rows][:3] == [
        ["STEP", "STATE", "STARTED", "TOOK", "ABOUT"],
        ["PrepareData", "Succeeded", "2026-01-01 12:00:00", "1 min", "reused from older"],
        ["Tune", "Executing", "2026-01-01 12:00:00", rows[2][-2].strip(), "attempt 2"],
    ]
    assert done.stdout.splitlines()[3].split() == ["TrainBest", "Waiting"]
    assert done.returncode == 0


def test_json_is_one_document_when_it_is_over(world: World) -> None:
    world.executions.add("run1", begun(), FAILED)
    done = world("status", "run", "--json", *QUICK)
    document = json.loads(done.stdout)
    assert document["execution"]["status"] == "Failed"
    assert document["execution"]["started"] == "2026-01-01T12:00:00+00:00"
    assert [(step["name"], step["status"]) for step in document["steps"]] == [
        ("PrepareData", "Succeeded"),
        ("Tune", "Failed"),
        ("TrainBest", "Not run"),
    ]
    assert done.returncode == 1
    assert json.loads(world("status", "--json", "--once").stdout)["logs"]["Tune"]["lines"] == ["nothing was written"]


def test_an_interruption_leaves_it_running_and_says_so(world: World) -> None:
    world.executions.add("run1", begun())
    with subprocess.Popen(
        [*PEDIGREE, "status", *QUICK],
        env=aws_environment(world.address, PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=enable_interrupts,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("execution run1")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert err == "execution run1 goes on; `pedigree status run1` follows it again, `pedigree stop run1` stops it\n"


def test_a_terminal_shows_a_table_that_stays_in_place(world: World) -> None:
    world.executions.add("run1", begun(TUNED, listed_step("Tune", "Executing")), begun(TUNED), FAILED)
    watched, given = pty.openpty()
    with subprocess.Popen(
        [*PEDIGREE, "status", *QUICK],
        env=aws_environment(world.address, TERM="xterm-256color", COLUMNS="200"),
        stdout=given,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(given)
        output = b""
        # With an error, so the screen of a process that has ended ends on Linux.
        with os.fdopen(watched, "rb", buffering=0) as screen, contextlib.suppress(OSError):
            while more := screen.read(1024):
                output += more
        process.wait(timeout=300)
    assert process.returncode == 1
    assert b"PrepareData" in output
    assert b"\x1b[1A" in output  # back up, over what was there
    assert b"Step failure: one or more steps failed." in output


def test_stopping_retrying_and_listing(world: World) -> None:
    world.executions.add("run1", begun())
    shown = world("stop", "run1", "--dry-run")
    assert shown.stdout.splitlines()[0] == "  ~ execution run1"
    assert world("executions", "--json").stdout.count('"Executing"') == 1
    assert world("stop").stdout.startswith("stopping execution run1; `pedigree retry run1` resumes it")
    assert world("stop", "--wait", *QUICK).returncode == 0
    assert world("stop").stdout == "execution run1 is Stopped already\n"
    assert world("executions").stdout.splitlines()[1].split("  ")[0] == "run1"
    assert world("retry", "--wait", *QUICK).returncode == 0
    again = world("retry")
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "there is nothing to retry" in again.stderr


def test_a_fault_while_following_is_borne(world: World) -> None:
    world.executions.add("run1", begun(), ExecutionState("Succeeded"))
    world.wire.break_at(4, FAULTS["server error"])
    done = world("status", *QUICK)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_credentials_is_one_line(world: World) -> None:
    done = world("status", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert done.returncode == 2
    assert done.stderr.startswith("pedigree: there are no AWS credentials here; log in with aws sso login")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--account", "000000000000"), "the AWS credentials are for account 123456789012, not for 000000"),
        (("--profile", "nobody"), "The config profile (nobody) could not be found; see aws configure list-profiles"),
        (("--region", "mars"), '--region: site.region = "mars" is no region of AWS'),
    ],
)
def test_the_wrong_place_is_one_line(world: World, arguments: tuple[str, ...], message: str) -> None:
    done = world("executions", *arguments)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert message in done.stderr


def test_a_missing_permission_names_action_and_who_lacks_it(world: World) -> None:
    world.wire.break_on(
        "sagemaker:ListPipelineExecutions",
        "AccessDeniedException",
        "User: arn:aws:iam::123456789012:user/me is not authorized to perform: sagemaker:ListPipelineExecutions on "
        "resource: arn:aws:sagemaker:us-east-1:123456789012:pipeline/dog-breeds because no policy allows it",
    )
    done = world("status")
    assert done.returncode == 2
    assert done.stderr == (
        "pedigree: arn:aws:iam::123456789012:user/me may not sagemaker:ListPipelineExecutions on "
        "arn:aws:sagemaker:us-east-1:123456789012:pipeline/dog-breeds; allow it in the policy of that user or role\n"
    )


BEST = [{"label": "Boxer", "class": "012.Boxer", "probability": 0.8125}, {"label": "Akita", "probability": 0.0625}]


def test_a_picture_gets_its_labels(world: World, tmp_path: Path) -> None:
    picture = tmp_path / "my dog.jpg"
    picture.write_bytes(b"\xff\xd8 a picture")
    world.predict.answer = function_answer(200, predictions=BEST)
    done = world("predict", "--image", str(picture))
    assert done.stdout.splitlines() == ["PROBABILITY  LABEL", "     81.25%  Boxer", "      6.25%  Akita"]
    assert base64.b64decode(world.predict.sent[0]["image"]) == picture.read_bytes()
    done = world("predict", "--url", "https://host/a.jpg?x=1&y=2", "--json")
    assert json.loads(done.stdout)[1] == {"label": "Akita", "probability": 0.0625}
    assert world.predict.sent[1] == {"url": "https://host/a.jpg?x=1&y=2"}


def test_what_the_function_cannot_do_is_one_line(world: World) -> None:
    world.predict.answer = function_answer(422, body=json.dumps({"error": "the model cannot read the picture"}))
    done = world("predict", "--url", "https://host/a.jpg")
    message = "pedigree: function sagemaker-dog-breeds-predict answers 422: the model cannot read the picture\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give one picture: --image FILE for a file, or --url ADDRESS"),
        (("--image", "x", "--url", "y"), "give one picture"),
        (("--image", "/nowhere.jpg"), "/nowhere.jpg cannot be read: No such file or directory; name a JPEG"),
    ],
)
def test_a_wrong_picture_is_reported(world: World, arguments: tuple[str, ...], message: str) -> None:
    done = world("predict", *arguments)
    assert (done.returncode, done.stderr.count("\n"), world.predict.sent) == (2, 1, [])
    assert message in done.stderr
