"""`pedigree sample-data`: draws a data set to try things with, in the course project's layout."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pedigree.cli import files
from pedigree.cli.errors import UsageError
from pipeline.samples import plan

ARCHIVE = plan.ARCHIVE


def _whole(flag: str, limits: tuple[int, int, int], text: str) -> Any:
    """An option for a whole number within limits."""
    least, _, most = limits

    def parsed(value: str) -> int:
        number = int(value) if re.fullmatch(r"[0-9]{1,12}", str(value)) else -1
        if not least <= number <= most:
            raise UsageError(f"{flag} {value} cannot be", f"give a whole number from {least} to {most}")
        return number

    return typer.Option(flag, parser=parsed, metavar="NUMBER", help=f"{text}, {least} to {most}.")


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=f"The folder that gets {plan.ARCHIVE}.")],
    classes: Annotated[int, _whole("--classes", plan.CLASSES, "How many classes")] = plan.CLASSES[1],
    per_class: Annotated[int, _whole("--per-class", plan.PER_CLASS, "How many pictures of each")] = plan.PER_CLASS[1],
    size: Annotated[int, _whole("--size", plan.SIZE, "How many pixels wide and high")] = plan.SIZE[1],
    seed: Annotated[int, _whole("--seed", plan.SEED, "Another seed draws other pictures")] = plan.SEED[1],
) -> None:
    """Draw a data set of textured shapes."""
    from pipeline.samples import archive

    path = folder / plan.ARCHIVE
    with files.writing(path) as file:
        planned = plan.SamplePlan(classes, per_class, size, seed)
        bar = typer.progressbar(
            planned.samples(), planned.total, label="drawing", file=sys.stderr, hidden=not sys.stderr.isatty()
        )
        with bar as samples:
            archive.write(file, planned, samples)
    typer.echo(path)
