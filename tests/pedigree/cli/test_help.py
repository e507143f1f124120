"""Help: -h works at every verb, and its lines fit a terminal of 80 columns."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from pedigree.cli import main
from tests.support.cli import ROOT, environment, pedigree


def commands(command: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every verb, and of those below it."""
    yield names
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*names, name))


def program() -> Any:
    return get_command(main.app())


def test_every_verb_has_help_that_fits() -> None:
    all_words = list(commands(program()))
    assert {("local", "up"), ("schedule", "make"), ("upsert",)} <= set(all_words)
    for words in all_words:
        for option in ("-h", "--help"):
            done = CliRunner(env={"COLUMNS": "80"}).invoke(main.app(), [*words, option])
            assert done.exit_code == 0, words
            assert [line for line in done.stdout.splitlines() if len(line) > 80] == []


def test_every_verb_has_one_line_in_the_list_of_verbs() -> None:
    listed = CliRunner(env={"COLUMNS": "80"}).invoke(main.app(), ["-h"]).stdout.partition("Commands:\n")[2]
    assert len(listed.splitlines()) == len(getattr(program(), "commands", {}))
    assert "..." not in listed


def test_the_list_of_make_fits_too() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True)
    assert [line for line in done.stdout.splitlines() if len(line) > 80] == []
    assert "  make pipeline-start       start an execution, or some of its steps\n" in done.stdout


@pytest.mark.parametrize(
    ("environ", "call"), [({}, "pedigree policies DIR"), ({"MAKELEVEL": "1"}, "make policies ARGS=DIR")]
)
def test_policies_without_a_folder_are_refused_in_one_line(environ: dict[str, str], call: str) -> None:
    done = pedigree("", "policies", **environ)
    assert (done.returncode, done.stderr) == (
        2,
        f"pedigree: no folder is named for the policies; name one: `{call}`\n",
    )
