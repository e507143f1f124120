"""The command `pedigree`: finds the verb that is called, runs it, and reports a mistake as one line.

Only the called verb is assembled, and its module imports what it needs when it runs, so help and usage
errors answer at once. Typer handles interruptions and closed pipes: exit codes 130 and 1, and no traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import Annotated

import typer
from typer.main import get_command

from pedigree.cli import hints, project, verbs
from pedigree.cli.errors import MISTAKE_EXIT, error_lines
from pedigree.errors import Mistake


@cache
def app(verb: str = "") -> typer.Typer:
    """The program with the one verb that is called, or with all verbs if there is no such verb."""
    program = typer.Typer(
        name="pedigree",
        help="Check, draw, compare and run SageMaker pipelines, on this machine and on AWS.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    program.callback()(options)
    load = verbs.find(verb)
    for name, load_verb in [(verb, load)] if load else verbs.all_verbs():
        command = load_verb()
        if isinstance(command, typer.Typer):
            program.add_typer(command, name=name)
        else:
            program.command(name)(command)
    return program


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # the other verbs do without

        typer.echo(version("pedigree"))
        raise typer.Exit


def options(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """The options of the program itself."""


@cache
def _command(verb: str) -> Callable[[], None]:
    command: Callable[[], None] = get_command(app(verb))
    return command


def _check_installed(verb: str) -> None:
    """Names the remedy where a project's verb is called and the project is not installed."""
    if not verb or verb.startswith("-") or verbs.find(verb):
        return
    error = project.not_installed()
    if error and not verbs.added():
        raise error


def main() -> None:
    """Runs the command; a mistake is one line for each problem and exit code 2."""
    verb = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        _check_installed(verb)
        _command(verb)()
    except Mistake as mistake:
        for line in map(hints.spelled, error_lines(mistake)):
            typer.echo(f"pedigree: {line}", err=True)
        sys.exit(MISTAKE_EXIT)
