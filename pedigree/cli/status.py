"""`pedigree status`: shows every step of an execution as it runs, and why a step failed."""

from __future__ import annotations

from typing import Annotated

import typer

from pedigree.cli import execution_view, printing
from pedigree.cli.account import connect_account
from pedigree.cli.following import ExpectedEnd, end, follow
from pedigree.cli.options import FollowOptions, JsonOption, PipelineOptions, expand_options

ExecutionArgument = Annotated[
    str, typer.Argument(metavar="EXECUTION", help="The start of its id, or its ARN; default: newest.")
]


@expand_options
def command(
    target: PipelineOptions,
    timing: FollowOptions,
    execution: ExecutionArgument = "",
    once: Annotated[bool, typer.Option("--once", help="Show its state now; do not wait.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Follow an execution until it ends."""
    context = connect_account(target)
    from pedigree.account import executions, progress

    chosen = executions.choose(context.account, context.pipeline, execution)
    expected = ExpectedEnd(as_json=as_json)
    if not once:
        follow(context, chosen.arn, timing, expected)
        return
    view = progress.progress_reader(context.account, context.pipeline, chosen.arn)()
    if not as_json:
        now = context.account.clock.now()
        printing.lines(view.link)
        printing.columns(execution_view.HEADER, (execution_view.row(step, now) for step in view.steps))
    end(context, view, expected)
