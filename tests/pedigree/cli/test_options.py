"""Groups of options: one parameter of a command, several options of its command line."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from pedigree.cli.errors import UsageError
from pedigree.cli.options import AccountOptions, FollowOptions, PipelineOptions, expand_options

received: list[Any] = []


@expand_options
def command(
    target: AccountOptions,
    timing: FollowOptions,
    name: Annotated[str, typer.Argument()] = "",
) -> None:
    received.append((target, timing, name))


def call(*arguments: str) -> Any:
    program = typer.Typer()
    program.command()(command)
    done = CliRunner().invoke(program, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return received.pop()


def test_the_fields_of_a_group_are_options() -> None:
    target, timing, name = call("it", "--region", "eu-west-1", "--every", "2", "--profile", "work")

    assert target == AccountOptions(region="eu-west-1", profile="work")
    assert timing == FollowOptions(every=2)
    assert name == "it"


def test_what_is_left_out_has_the_default_of_its_field() -> None:
    assert call() == (AccountOptions(), FollowOptions(), "")


def test_a_command_can_be_called_by_other_code_with_options_by_name() -> None:
    command(settings="a.toml", name="x")
    assert received.pop() == (AccountOptions("a.toml"), FollowOptions(), "x")


@pytest.mark.parametrize("option", ["account", "region"])
def test_an_empty_value_is_a_mistake(option: str) -> None:
    with pytest.raises(UsageError, match=f"--{option} is empty; write a value, or leave it out"):
        PipelineOptions(**{option: ""})
