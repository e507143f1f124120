"""`pedigree cost`: estimates the cost of an execution and of a month, with prices from a table or from AWS."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pedigree.cli import printing
from pedigree.cli.errors import UsageError
from pedigree.cli.options import AccountOptions, JsonOption, expand_options
from pipeline.commands import kept_prices
from pipeline.commands.context import connect_project
from pipeline.commands.project import load_settings

if TYPE_CHECKING:
    from pipeline.account.cost import JobHours
    from pipeline.account.usage import JobUsage
    from pipeline.settings.tree import Settings

HoursOption = Annotated[
    list[str] | None,
    typer.Option("--hours", metavar="STEP=HOURS", help="How long each job of a step runs."),
]


@expand_options
def command(
    target: AccountOptions,
    hours: HoursOption = None,
    assumed: Annotated[
        bool, typer.Option("--assumed", help="Assume all hours; read nothing from the account.")
    ] = False,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask AWS for today's prices, and save them.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Estimate the cost of an execution and of a month."""
    from pedigree.account import prices
    from pipeline.account import cost, cost_lines, usage

    chosen = load_settings(target)
    planned, where = usage.jobs(chosen), chosen.site.region
    given = _given(hours or [], [job.step for job in planned])
    if refresh:
        from pedigree.account.pricing import refreshed

        here = connect_project(target).account
        kept_prices.write(refreshed(here, where, usage.machines(chosen)), where)
    past = {} if assumed else _past(chosen, target.profile, planned)
    estimate = cost.estimate(chosen, prices.of_the_package().below(kept_prices.read(where)), {**past, **given})
    if as_json:
        printing.document(cost_lines.document(estimate))
        return
    for text in cost_lines.lines(estimate):
        printing.hint(text)


def _given(hours: Sequence[str], steps: Sequence[str]) -> dict[str, JobHours]:
    """The hours of the options, by step."""
    from pedigree.language.near import suggest
    from pipeline.account.cost import JobHours

    given_hours = {}
    for text in hours:
        step, _, number = text.partition("=")
        if not re.fullmatch(r"\d{1,4}(\.\d{1,6})?", number, re.ASCII):
            raise UsageError(f"--hours {text} cannot be", f"write it like --hours {steps[0]}=1.5")
        if step not in steps:
            raise UsageError(f"--hours {text}: {step} is not a step that runs machines", suggest(step, steps))
        given_hours[step] = JobHours(float(number), "given")
    return given_hours


def _past(chosen: Settings, profile: str, planned: Sequence[JobUsage]) -> dict[str, JobHours]:
    """The hours of past executions, if an account can be read."""
    from pedigree.account.connect import connect
    from pedigree.account.errors import OperationsError
    from pipeline.account.past_hours import past_hours

    try:
        return past_hours(connect(chosen.site.account, chosen.site.region, profile), chosen.pipeline.name, planned)
    except OperationsError as error:
        printing.remark(f"hours are assumed, because past executions cannot be read: {error}")
        return {}
