"""`pedigree`: one command for each thing that can be done, and the place where mistakes are told.

A command's module imports what it needs when it runs, so that help and usage errors answer at once. An interruption
and a reader that has gone are Typer's to handle: exit codes 130 and 1, and no traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import Annotated

import typer
from typer.main import get_command

from cli import (
    check,
    cost,
    definition,
    destroy,
    ec2_train,
    endpoint,
    executions,
    graph,
    local,
    policies,
    predict,
    results,
    run,
    sample_data,
    schedule,
    start,
    status,
    upsert,
)
from cli.errors import MISTAKE_EXIT, MISTAKES, told

app = typer.Typer(
    name="pedigree",
    help="From a folder of images to a deployed, autoscaled classifier, as one SageMaker pipeline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("definition")(definition.command)
app.command("check")(check.command)
app.command("graph")(graph.command)
app.command("sample-data")(sample_data.command)
app.command("upsert")(upsert.command)
app.command("destroy")(destroy.command)
app.command("policies")(policies.command)
app.command("run")(run.command)
app.command("start")(start.command)
app.command("status")(status.command)
app.command("stop")(executions.stop)
app.command("retry")(executions.retry)
app.command("executions")(executions.listing)
app.command("results")(results.command)
app.command("predict")(predict.command)
app.command("approve")(endpoint.approve)
app.command("rollback")(endpoint.rollback)
app.command("endpoint-status")(endpoint.status)
app.command("ec2-train")(ec2_train.command)
app.add_typer(local.app, name="local")
app.command("cost")(cost.command)
app.add_typer(schedule.app, name="schedule")


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(version("pedigree"))
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """What holds for every command."""


@cache
def _commands() -> Callable[[], None]:
    """All commands with their options, put together once."""
    found: Callable[[], None] = get_command(app)
    return found


def main() -> None:
    """Run a command; tell a mistake in one line a problem."""
    try:
        _commands()()
    except MISTAKES as mistake:
        for line in told(mistake):
            typer.echo(f"pedigree: {line}", err=True)
        sys.exit(MISTAKE_EXIT)
