"""The commands for an account: real processes, and an AWS that is a server on this machine."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from pedigree.language.definition import read
from tests.support.accounts import client, plain_documents, state
from tests.support.cli import PEDIGREE, ROOT, aws_environment, pedigree
from tests.support.definitions import define
from tests.support.fakes.aws import ACCOUNT, aws
from tests.support.processes import enable_interrupts

NOTHING = "Nothing to change: everything matches the settings.\n"


@pytest.fixture
def address() -> Iterator[str]:
    """Where an empty account is reached; its content is this process's own."""
    with aws():
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        try:
            yield f"http://{host}:{port}"
        finally:
            server.stop()


def is_empty() -> bool:
    return not any(state().values())


def test_upsert_and_destroy_from_the_first_look_to_the_last(address: str) -> None:
    """Planned, created, planned again, destroyed: what each command prints and leaves."""
    planned = pedigree(address, "upsert", "--dry-run")
    assert (planned.returncode, is_empty()) == (0, True)
    assert "  + function sagemaker-dog-breeds-predict\n" in planned.stdout
    steps, parameters = len(list(read(define()).all_steps())), len(define()["Parameters"])
    assert f"  + pipeline dog-breeds\n      {steps} steps, {parameters} parameters\n" in planned.stdout
    assert "\nCost in USD, an estimate for us-east-1 (" in planned.stdout
    assert f"Account {ACCOUNT}, region us-east-1" in planned.stderr

    made = pedigree(address, "upsert", "--yes")
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith(planned.stdout)
    assert made.stdout.splitlines()[-1].startswith("Done: ")
    after = state()

    again = pedigree(address, "upsert")  # no consent is needed where there is nothing to do
    assert (again.returncode, again.stdout) == (0, NOTHING)
    assert state() == after

    listed = pedigree(address, "destroy", "--dry-run")
    assert "  - function sagemaker-dog-breeds-predict\n" in listed.stdout
    assert "Kept, because --data is not given: model group dog-breeds\n" in listed.stdout
    assert state() == after

    gone = pedigree(address, "destroy", "--yes", "--data")
    assert gone.returncode == 0, gone.stderr
    assert list(client("s3").list_buckets()["Buckets"]) == []
    nothing = pedigree(address, "destroy", "--yes", "--data")
    assert (nothing.returncode, nothing.stdout) == (0, "Nothing to remove: nothing exists.\n")


def test_without_a_terminal_nothing_is_done(address: str) -> None:
    done = pedigree(address, "upsert")
    assert (done.returncode, is_empty()) == (2, True)
    assert "there is no terminal to ask for consent; add --yes to do it, or --dry-run" in done.stderr.splitlines()[-1]


def test_on_a_terminal_it_asks_and_takes_no_for_an_answer(address: str) -> None:
    """The terminal is one that this test types at."""
    ours, theirs = pty.openpty()
    command = [*PEDIGREE, "upsert"]
    with subprocess.Popen(
        command, cwd=ROOT, env=aws_environment(address), stdin=theirs, stdout=subprocess.PIPE
    ) as process:
        os.write(ours, b"n\n")
        out, _ = process.communicate(timeout=300)
    os.close(theirs)
    os.close(ours)
    assert (process.returncode, is_empty()) == (0, True)
    assert b"Do it? [y/N]" in out


def test_what_an_interruption_leaves_the_next_upsert_completes(address: str) -> None:
    command = [*PEDIGREE, "upsert", "--yes"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=aws_environment(address),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=enable_interrupts,
    )
    with process:
        assert process.stdout is not None
        planned = next(line for line in process.stdout if line.startswith("To do: "))
        begun = next(line for line in process.stdout if " role " in line)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=300)
    assert (planned.startswith("To do: "), begun.startswith("  + role")) == (True, True)
    assert process.returncode == 130
    assert "interrupted; run it again to go on from here" in err
    assert pedigree(address, "upsert", "--yes").returncode == 0
    assert pedigree(address, "upsert", "--yes").stdout == NOTHING


NO_KEYS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


@pytest.mark.parametrize(
    ("arguments", "more", "message"),
    [
        (
            ["upsert", "--dry-run"],
            NO_KEYS,
            "there are no AWS credentials here; log in with aws sso login or aws configure",
        ),
        (["upsert", "--dry-run"], {"AWS_SECRET_ACCESS_KEY": ""}, "the AWS credentials are incomplete"),
        (
            ["upsert", "--yes", "--account", "000000000000"],
            {},
            f"the AWS credentials are for account {ACCOUNT}, not for 000000000000; choose the right profile",
        ),
        (
            ["destroy", "--profile", "work"],
            {},
            "The config profile (work) could not be found; see aws configure",
        ),
        (["destroy", "--account", ""], {}, "--account is empty; write a value, or leave it out"),
        (
            ["upsert", "--yes"],
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
            "the local AWS does not answer at ",
        ),
    ],
)
def test_a_mistake_is_one_line_and_changes_nothing(
    arguments: list[str], more: dict[str, str], message: str, address: str
) -> None:
    done = pedigree(address, *arguments, **more)
    assert (done.returncode, done.stdout, is_empty()) == (2, "", True)
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


def test_a_name_that_is_taken_is_one_line(address: str) -> None:
    client("iam").create_role(RoleName="pedigree-job", AssumeRolePolicyDocument=str(plain_documents("ec2").trust))
    done = pedigree(address, "upsert", "--yes")
    assert done.returncode == 2
    assert "role pedigree-job exists already and was not made for this pipeline" in done.stderr.splitlines()[-1]
    assert [role["RoleName"] for role in client("iam").list_roles()["Roles"]] == ["pedigree-job"]


def test_policies_are_files_that_an_administrator_can_hand_to_aws(tmp_path: Path) -> None:
    done = pedigree("", "policies", str(tmp_path), "--account", ACCOUNT)
    assert done.returncode == 0, done.stderr
    written = {path.relative_to(tmp_path).as_posix(): path.read_text() for path in tmp_path.rglob("*.json")}
    assert {"operator/trust.json", "operator/upsert.json", "job/policy.json"} <= set(written)
    assert sorted(done.stdout.split()) == sorted(str(tmp_path / name) for name in written)
    assert all(len(json.dumps(json.loads(text), separators=(",", ":"))) <= 6144 for text in written.values())
    assert ACCOUNT in written["operator/upsert.json"]


def test_policies_need_an_account_and_a_folder(tmp_path: Path) -> None:
    for arguments, message in (
        ([str(tmp_path)], "give it with --account, or as site.account"),
        (["/nowhere", "--account", ACCOUNT], "/nowhere is not a folder; make it, or name another"),
    ):
        done = pedigree("", "policies", *arguments)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert message in done.stderr


@pytest.mark.parametrize(
    ("verb", "command"), [("pipeline-upsert", "upsert"), ("destroy", "destroy"), ("policies", "policies")]
)
def test_make_has_the_verb(verb: str, command: str) -> None:
    # The tests themselves are run by make, and a make within a make prints which folder it leaves.
    typed = ["make", "--no-print-directory", "-n", verb, "ARGS=--dry-run"]
    said = subprocess.run(typed, cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == f".venv/bin/pedigree {command} --dry-run"
