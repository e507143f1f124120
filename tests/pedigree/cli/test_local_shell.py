"""A shell enters the local AWS by eval and leaves it again, with everything as it was."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from pedigree.cli import local_shell
from pedigree.cli.local_environment import OTHERS, OURS, enter, variables
from pedigree.localaws.kernel.access_key import AccessKey
from pedigree.localaws.process import Daemon

DAEMON = Daemon(1, 4566, "http://127.0.0.1:4566", "eu-central-1", AccessKey("AKIA", "it's secret"))
BEFORE = {
    "AWS_PROFILE": "prod account",
    "AWS_REGION": "us-west-2",
    "AWS_ENDPOINT_URL_S3": "https://s3.amazonaws.com",
    "AWS_SECRET_ACCESS_KEY": "of an account",
    "HTTP_PROXY": "http://proxy:3128",
    "PATH": "/usr/bin:/bin",
}
INSIDE = {"PEDIGREE_LOCAL": "1"}
SHELLS = [shell for shell in ("sh", "bash", "zsh", "dash") if shutil.which(shell)]


def shell(program: str, *parts: str) -> dict[str, str]:
    """The environment after these commands, and the prompt."""
    script = "\n".join(["PS1='$ '", *parts, 'echo "PS1=$PS1"', "env"])
    done = subprocess.run([program, "-c", script], env=BEFORE, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    lines = dict(line.partition("=")[::2] for line in done.stdout.splitlines())
    return {name: value for name, value in lines.items() if name in ("PS1", *BEFORE, *OURS, *OTHERS, "NO_PROXY")}


def entering(environ: dict[str, str]) -> str:
    return "\n".join(local_shell.entering(DAEMON, environ, marks_prompt=True))


def again() -> str:
    return entering({**BEFORE, **variables(DAEMON, BEFORE)})


@pytest.mark.parametrize("program", SHELLS)
def test_a_shell_that_has_entered_has_nothing_of_an_account(program: str) -> None:
    inside = shell(program, entering(BEFORE))
    assert {name: inside[name] for name in OURS} == {name: variables(DAEMON, BEFORE)[name] for name in OURS}
    assert not {"AWS_PROFILE", "AWS_ENDPOINT_URL_S3"} & inside.keys()
    assert inside["NO_PROXY"] == "127.0.0.1,localhost,::1"
    assert inside["PS1"] == "(local aws) $ "


@pytest.mark.parametrize("program", SHELLS)
@pytest.mark.parametrize("times", [1, 2])
def test_what_was_there_before_is_back_afterwards(program: str, times: int) -> None:
    enter_commands = (entering(BEFORE), again())[:times]
    assert shell(program, *enter_commands, *local_shell.leaving(INSIDE)) == {**BEFORE, "PS1": "$ "}


@pytest.mark.parametrize("program", SHELLS)
def test_the_session_of_a_role_is_left_like_the_key_of_the_account(program: str) -> None:
    session = {"AWS_ACCESS_KEY_ID": "ASIA", "AWS_SECRET_ACCESS_KEY": "other", "AWS_SESSION_TOKEN": "token"}
    with_token = {**BEFORE, "AWS_SESSION_TOKEN": "of an account"}
    as_role = "\n".join(local_shell.entering(DAEMON, with_token, session))
    assert shell(program, as_role).items() >= session.items()
    assert "AWS_SESSION_TOKEN" not in shell(program, as_role, again())
    given = [f"export AWS_SESSION_TOKEN='{with_token['AWS_SESSION_TOKEN']}'", as_role]
    assert shell(program, *given, *local_shell.leaving(INSIDE)) == {**with_token, "PS1": "$ "}


def test_a_shell_that_has_not_entered_is_left_as_it_is() -> None:
    assert list(local_shell.leaving(BEFORE)) == []


@pytest.mark.parametrize("program", SHELLS)
def test_a_shell_in_a_shell_that_has_entered_leaves_it_too(program: str) -> None:
    left = shell(program, *local_shell.leaving(INSIDE))
    assert not set(OURS) & left.keys()


def test_no_secret_of_an_account_is_printed() -> None:
    assert "of an account" not in entering(BEFORE)


def test_a_process_enters_in_the_same_way() -> None:
    environ = dict(BEFORE)
    enter(DAEMON, environ)
    assert environ.items() >= variables(DAEMON, BEFORE).items()
    assert not {"AWS_PROFILE", "AWS_ENDPOINT_URL_S3"} & environ.keys()
