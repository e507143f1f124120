"""`--data`: a user's own data for one execution of the project's pipeline, uploaded before it starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from pedigree.cli import project
from pedigree.cli.errors import UsageError

if TYPE_CHECKING:
    from pedigree.account.account import Account
    from pedigree.account.plan import Plan
    from pedigree.cli.options import PipelineOptions

DataOption = Annotated[
    str, typer.Option("--data", metavar="WHERE", help="Its data: a folder, a zip, https:// or s3://.")
]
_BY_PARAMETER = "name the data by a parameter: NAME=VALUE"


@contextmanager
def found(options: PipelineOptions, account: Account, where: str) -> Iterator[project.InputData]:
    """The data as the installed project reads it; without data there are no parameters and no uploads."""
    if not where:
        yield project.InputData()
        return
    if options.pipeline:
        raise UsageError("--data is for the project's own pipeline, and --pipeline names another", _BY_PARAMETER)
    own = project.pipeline(options, UsageError("no project is installed that could read --data", _BY_PARAMETER))
    with own.input_data(where, account) as data:
        yield data


def upload(data: project.InputData, account: Account, planned: Plan) -> None:
    """Makes the planned uploads, with their progress."""
    from pedigree.account.apply import apply_plan
    from pedigree.cli.progress import progress

    with progress() as progress_line:
        apply_plan(data.uploads, account, planned, progress_line.change, progress_line.waiting)
