"""`pedigree diff`: says what a new definition changes about an old one, and which steps it makes run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pedigree.cli import definitions, printing
from pedigree.cli.definitions import ScriptArguments
from pedigree.cli.errors import UsageError
from pedigree.cli.options import JsonOption

DIFFERENT_EXIT = 1


def command(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A definition in JSON, -, or a script that defines it.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Another definition, or another script.")],
    arguments: ScriptArguments = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two definitions. Exit code 1 if they differ."""
    if str(old) == str(new) == "-":
        raise UsageError("standard input cannot be both definitions", "name a file for one of them")
    from pedigree.language import revision
    from pedigree.language.definition import parse

    if arguments and not any(map(definitions.is_script, (old, new))):
        raise UsageError("no definition is a script, and arguments are given", "leave them out")
    before, after = (
        parse(definitions.read(file, arguments if definitions.is_script(file) else ()).text) for file in (old, new)
    )
    lines = revision.changes(before, after)
    if as_json:
        from pedigree.language.reuse import losses

        rerun = [{"step": loss.step, "reasons": list(loss.reasons)} for loss in losses(before, after)]
        printing.document({"changes": lines, "rerun": rerun})
    else:
        printing.lines(*(lines or ["no difference"]))
    if lines:
        raise typer.Exit(DIFFERENT_EXIT)
