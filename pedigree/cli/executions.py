"""`pedigree executions`, `pedigree stop`, `pedigree retry`: lists executions, stops one, resumes one."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from pedigree.cli import changes, printing
from pedigree.cli.account import AccountContext, connect_account
from pedigree.cli.following import ExpectedEnd, WaitOption, follow
from pedigree.cli.options import DryRunOption, FollowOptions, JsonOption, PipelineOptions, expand_options
from pedigree.cli.status import ExecutionArgument

if TYPE_CHECKING:
    from pedigree.account.plan import Change

HEADER = ("EXECUTION", "STATE", "STARTED", "TOOK", "BY", "NAME")


@expand_options
def listing(
    target: PipelineOptions,
    count: Annotated[int, typer.Option("--count", min=1, max=100, help="How many, the newest first.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """List the last executions of a pipeline."""
    context = connect_account(target)
    from pedigree.account.executions import newest
    from pedigree.account.times import between, on_the_wall

    executions = newest(context.account, context.pipeline, count)
    if as_json:
        printing.document([{"id": execution.id, **asdict(execution)} for execution in executions])
        return
    if not executions:
        printing.line(f"There are no executions yet; {context.hint('start')} starts one.")
        return
    now = context.account.clock.now()
    rows = (
        (
            execution.id,
            execution.status,
            on_the_wall(execution.started),
            between(execution.started, execution.ended or now),
            execution.by,
            execution.name,
        )
        for execution in executions
    )
    printing.columns(HEADER, rows)


@expand_options
def stop(
    target: PipelineOptions,
    timing: FollowOptions,
    execution: ExecutionArgument = "",
    wait: WaitOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Stop an execution; pedigree retry resumes it."""
    context = connect_account(target)
    from pedigree.account import executions

    chosen = executions.choose(context.account, context.pipeline, execution)
    change = executions.stop(chosen)
    if change is None:
        printing.line(f"execution {chosen.id} is {chosen.status} already")
    elif not changes.only_shown(change, dry_run=dry_run):
        _carry_out(context, change)
        printing.line(f"stopping execution {chosen.id}; {context.hint(f'retry {chosen.id}')} resumes it afterwards")
    if wait and not dry_run:
        follow(context, chosen.arn, timing, ExpectedEnd(statuses=executions.ENDED))


@expand_options
def retry(
    target: PipelineOptions,
    timing: FollowOptions,
    execution: ExecutionArgument = "",
    wait: WaitOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Resume an execution that failed or was stopped."""
    context = connect_account(target)
    from pedigree.account import executions

    chosen = executions.choose(context.account, context.pipeline, execution)
    change = executions.retry(chosen)
    if changes.only_shown(change, dry_run=dry_run):
        return
    _carry_out(context, change)
    printing.line(f"execution {chosen.id} goes on")
    if wait:
        follow(context, chosen.arn, timing)
    else:
        printing.line(f"follow it: {context.hint(f'status {chosen.id}')}")


def _carry_out(context: AccountContext, change: Change) -> None:
    from pedigree.account.apply import apply_change
    from pedigree.account.polling import retry_unanswered

    retry_unanswered(lambda: apply_change(change, context.account), context.account.clock, printing.remark)
