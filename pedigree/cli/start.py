"""`pedigree start`: starts an execution, with values for its parameters; of the whole pipeline or of some steps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import typer

from pedigree.cli import changes, input_data, printing, project
from pedigree.cli.account import connect_account
from pedigree.cli.errors import UsageError
from pedigree.cli.following import WaitOption, follow
from pedigree.cli.options import DryRunOption, FollowOptions, PipelineOptions, expand_options

ValuesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[STEP]... NAME=VALUE", help="Parameters, where not the default; steps after --only."),
]
OnlyOption = Annotated[
    list[str] | None, typer.Option("--only", metavar="STEP", help="Run this step only, or these: A,B.")
]
FromOption = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="EXECUTION",
        help="With --only: the execution whose results the steps use; default: the newest that has them.",
    ),
]


@expand_options
def command(
    target: PipelineOptions,
    timing: FollowOptions,
    values: ValuesArgument = None,
    only: OnlyOption = None,
    source: FromOption = "",
    name: Annotated[str, typer.Option("--name", help="Its display name; default: manual-<time>.")] = "",
    description: Annotated[str, typer.Option("--description", help="What it is for.")] = "",
    data: input_data.DataOption = "",
    wait: WaitOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Start an execution of a pipeline in an account."""
    steps, parameters = _split(values or [], only or [], source)
    context = connect_account(target)
    from pedigree.account import links
    from pedigree.account.apply import apply_change
    from pedigree.account.plan import plan
    from pedigree.account.polling import retry_unanswered
    from pedigree.account.start import StartRequest, start

    account, pipeline = context.account, context.pipeline
    with input_data.found(target, account, data) as own:
        request = StartRequest((*parameters, *own.parameters), name, description, steps, source)
        change = start(account, pipeline, request, partial(project.check_values, target))
        uploads = plan(own.uploads, account)
        if changes.only_shown(*uploads.changes, change, dry_run=dry_run):
            return
        input_data.upload(own, account, uploads)
    answers = retry_unanswered(lambda: apply_change(change, account), account.clock, printing.remark)
    arn = answers["started"]["PipelineExecutionArn"]
    identifier = arn.rpartition("/")[2]
    printing.line(f"started execution {identifier} ({change.name})")
    if steps:
        printing.lines(*change.why)
    printing.line(arn)
    printing.lines(links.execution(account, pipeline, identifier))
    if wait:
        follow(context, arn, timing)
    else:
        printing.line(
            f"follow it: {context.hint(f'status {identifier}')}   stop it: {context.hint(f'stop {identifier}')}"
        )


def _split(values: Sequence[str], only: Sequence[str], source: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The steps and the parameters: after --only, what is no NAME=VALUE is another step."""
    if not only and source:
        raise UsageError("--from names the execution that --only continues", "add --only STEP, or leave it out")
    if not only:
        return (), tuple(values)
    names = (*only, *(value for value in values if "=" not in value))
    steps = tuple(name for text in names for name in text.split(",") if name)
    if not steps:
        raise UsageError("--only is empty", "name a step, or leave it out")
    return steps, tuple(value for value in values if "=" in value)
