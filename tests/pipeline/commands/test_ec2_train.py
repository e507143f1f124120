"""`pedigree ec2-train` as a user meets it: real processes, and moto's server in the place of AWS and of the machine."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from tests.support.cli import PEDIGREE, aws_environment, pedigree
from tests.support.local_aws import client
from tests.support.processes import enable_interrupts

BUCKET = "pedigree-123456789012-us-east-1"
GIVEN = ("ec2-train", "--ami", "ami-12c6146b", "--every", "0.1")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client(f"http://{host}:{port}", "iam").create_instance_profile(InstanceProfileName="pedigree-ec2")
    client(f"http://{host}:{port}", "s3").create_bucket(Bucket=BUCKET)
    yield f"http://{host}:{port}"
    server.stop()


def machines(address: str) -> list[dict[str, Any]]:
    reservations = client(address, "ec2").describe_instances()["Reservations"]
    return [instance for reservation in reservations for instance in reservation["Instances"]]


def started(address: str) -> subprocess.Popen[str]:
    """A command that waits for a machine, which it has just started."""
    return subprocess.Popen(
        [*PEDIGREE, *GIVEN, "--yes", "--wait"],
        env=aws_environment(address, PYTHONUNBUFFERED="1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=enable_interrupts,
    )


def line_with(text: str, process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return next(line for line in process.stdout if text in line)


def test_a_dry_run_prints_everything_and_changes_nothing(address: str) -> None:
    done = pedigree(address, *GIVEN, "--dry-run")
    assert (done.returncode, done.stderr.count("\n")) == (0, 2)
    assert done.stderr.startswith("Account 123456789012, region us-east-1, as arn:")
    assert re.search(r"^Settings: \S*settings\.toml", done.stderr, re.MULTILINE)
    assert done.stdout.startswith("  + code pedigree/code/")
    assert '"HttpTokens": "required"' in done.stdout
    assert 'shutdown -h "+${SHUTDOWN_MINUTES:-60}"' in done.stdout
    assert "export SHUTDOWN_MINUTES=495" in done.stdout
    assert machines(address) == []
    assert "Contents" not in client(address, "s3").list_objects_v2(Bucket=BUCKET)


def test_nothing_is_rented_without_a_yes(address: str) -> None:
    done = pedigree(address, *GIVEN)
    assert done.returncode == 2
    assert "add --yes to do it" in done.stderr
    assert machines(address) == []


@pytest.mark.parametrize(("outcome", "code"), [("succeeded", 0), ("failed: training ended with 1", 1)])
def test_waiting_shows_the_log_and_ends_with_the_outcome(address: str, outcome: str, code: int) -> None:
    with started(address) as process:
        results = line_with("results: ", process).split()[1].removeprefix(f"s3://{BUCKET}/")
        put = partial(client(address, "s3").put_object, Bucket=BUCKET)
        put(Key=f"{results}train.log", Body=b"--- training\n")
        assert line_with("--- training", process)
        put(Key=f"{results}outcome.txt", Body=outcome.encode())
        out, err = process.communicate(timeout=300)
    assert process.returncode == code
    assert out.startswith(f"run {results.split('/')[2]} has ")
    assert "machine is running" in err


def test_an_interruption_leaves_the_machine_and_says_how_to_stop_it(address: str) -> None:
    with started(address) as process:
        line_with("stop it: ", process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "the machine keeps running, and ends itself; stop it: aws ec2 terminate-instances --region us-east-1" in err
    assert machines(address)[-1]["State"]["Name"] == "running"
