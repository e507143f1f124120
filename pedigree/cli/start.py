"""`pedigree start`: starts an execution, with values for its parameters."""

from __future__ import annotations

from typing import Annotated

import typer

from pedigree.cli import changes, input_data, printing
from pedigree.cli.account import connect_account
from pedigree.cli.following import WaitOption, follow
from pedigree.cli.options import DryRunOption, FollowOptions, PipelineOptions, expand_options


@expand_options
def command(
    target: PipelineOptions,
    timing: FollowOptions,
    values: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE", help="Parameters, where not the default.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Its display name; default: manual-<time>.")] = "",
    description: Annotated[str, typer.Option("--description", help="What it is for.")] = "",
    data: input_data.DataOption = "",
    wait: WaitOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Start an execution of a pipeline in an account."""
    context = connect_account(target)
    from pedigree.account import links
    from pedigree.account.apply import apply_change
    from pedigree.account.plan import plan
    from pedigree.account.polling import retry_unanswered
    from pedigree.account.start import StartRequest, start

    account, pipeline = context.account, context.pipeline
    with input_data.found(target, account, data) as own:
        change = start(account, pipeline, StartRequest((*(values or ()), *own.parameters), name, description))
        uploads = plan(own.uploads, account)
        if changes.only_shown(*uploads.changes, change, dry_run=dry_run):
            return
        input_data.upload(own, account, uploads)
    answers = retry_unanswered(lambda: apply_change(change, account), account.clock, printing.remark)
    arn = answers["started"]["PipelineExecutionArn"]
    identifier = arn.rpartition("/")[2]
    printing.line(f"started execution {identifier} ({change.name})")
    printing.line(arn)
    printing.lines(links.execution(account, pipeline, identifier))
    if wait:
        follow(context, arn, timing)
    else:
        printing.line(f"follow it: pedigree status {identifier}   stop it: pedigree stop {identifier}")
