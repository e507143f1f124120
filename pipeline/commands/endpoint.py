"""`pedigree endpoint-status`, `pedigree approve`, `pedigree rollback`: shows the endpoint, and changes its model."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from pedigree.cli import changes, hints, printing
from pedigree.cli.following import INTERRUPTED_EXIT
from pedigree.cli.options import AccountOptions, DryRunOption, EveryOption, JsonOption, YesOption, expand_options
from pipeline.commands.context import ProjectContext, connect_project

if TYPE_CHECKING:
    from pedigree.account.endpoint_status import InstanceCounts, Report
    from pipeline.account.rollback import Rollback

EndpointOption = Annotated[str, typer.Option("--endpoint", help="An endpoint; default: that of the settings.")]
EVERY = 15.0
VERSIONS = 20


@expand_options
def status(
    target: AccountOptions,
    endpoint: EndpointOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show the endpoint: versions, instances, scaling, alarms."""
    context = connect_project(target)
    from pedigree.account.endpoint_status import report

    endpoint_report = report(context.account, endpoint or context.settings.endpoint.name)
    if as_json:
        printing.document(asdict(endpoint_report))
    else:
        _tell(endpoint_report)


@expand_options
def approve(
    target: AccountOptions,
    version: Annotated[str, typer.Argument(metavar="[VERSION]", help="Its number; default: list them.")] = "",
    as_json: JsonOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Approve a version of the model, or list the versions."""
    number = _number(version) if version else 0
    context = connect_project(target)
    from pedigree.account import versions
    from pedigree.account.apply import apply_change

    if not number:
        _list(context, as_json=as_json)
        return
    group = context.settings.registry.group
    change = versions.approve(context.account, group, number)
    if change is None:
        printing.line(f"version {number} of {group} is approved already")
    elif not changes.only_shown(change, dry_run=dry_run):
        apply_change(change, context.account)
        printing.hint(f"approved version {number} of {group}; `pedigree endpoint-status` shows when it serves")


@expand_options
def rollback(
    target: AccountOptions,
    to: Annotated[str, typer.Option("--to", help="A configuration; default: the previous one.")] = "",
    endpoint: EndpointOption = "",
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    every: EveryOption = EVERY,
) -> None:
    """Take the endpoint back to its earlier configuration."""
    context = connect_project(target, announced=True)
    from pedigree.account.apply import apply_change
    from pedigree.account.plan import Plan
    from pipeline.account import rollback as rollbacks

    planned = rollbacks.plan(context.account, context.settings, endpoint or context.settings.endpoint.name, to)
    change = rollbacks.change(context.settings, planned)
    if planned.is_under_way:
        printing.line(f"endpoint {planned.endpoint.name} is moving to {planned.target.name} already")
    elif changes.confirmed(Plan((change,)), yes=yes, dry_run=dry_run):
        apply_change(change, context.account)
    else:
        return
    if not dry_run:
        _wait(context, planned, every)


def _number(version: str) -> int:
    from pedigree.account.errors import InvalidInputError
    from pedigree.errors import Mistake

    if not version.isascii() or not version.isdigit() or not int(version):
        raise InvalidInputError(
            [Mistake(f"{version} is no version", "give its number, as `pedigree approve` lists it")]
        )
    return int(version)


def _list(context: ProjectContext, *, as_json: bool) -> None:
    from pedigree.account import versions
    from pedigree.account.times import on_the_wall

    newest = versions.newest(context.account, context.settings.registry.group, VERSIONS)
    served = versions.served(context.account, context.settings.endpoint.name)
    if as_json:
        printing.document([{**asdict(version), "endpoint": served.get(version.arn, "")} for version in newest])
    elif not newest:
        printing.line(f"Group {context.settings.registry.group} has no versions yet; an execution registers the first.")
    else:
        rows = (
            (str(version.number), version.approval, on_the_wall(version.created), served.get(version.arn, ""))
            for version in newest
        )
        printing.columns(("VERSION", "APPROVAL", "REGISTERED", "ENDPOINT"), rows)


def _wait(context: ProjectContext, planned: Rollback, every: float) -> None:
    from pedigree.account.errors import UnfinishedError
    from pedigree.account.polling import PollOptions, poll
    from pedigree.account.times import took
    from pipeline.account.rollback import is_done, watched

    clock, name = context.account.clock, planned.endpoint.name
    again = hints.spelled(f"`pedigree rollback --to {planned.target.name}`")
    began, at_most = clock.monotonic(), float(context.settings.endpoint.update.timeout_seconds)
    try:
        for described in poll(watched(context.account, planned), PollOptions(clock, every, at_most, printing.remark)):
            if is_done(described, planned):
                printing.line(f"endpoint {name} serves {planned.target.name}: {planned.target.described()}")
                printing.hint(f"to go forward again: `pedigree rollback --to {planned.live.name}`")
                return
            printing.line(f"{described.status}, {took(clock.monotonic() - began)}")
    except KeyboardInterrupt:
        printing.remark(f"endpoint {name} goes on with it; {again} waits for it again")
        raise typer.Exit(INTERRUPTED_EXIT) from None
    raise UnfinishedError(
        f"endpoint {name} is not there after {took(at_most)}, and goes on", f"{again} waits for it again"
    )


def _tell(endpoint_report: Report) -> None:
    from pedigree.account.times import on_the_wall

    printing.line(
        f"endpoint {endpoint_report.name}: {endpoint_report.status}, configuration {endpoint_report.configuration}"
    )
    printing.line(f"since {on_the_wall(endpoint_report.changed)}")
    if endpoint_report.next_configuration:
        printing.line(f"moving to configuration {endpoint_report.next_configuration}")
    if endpoint_report.reason:
        printing.line(endpoint_report.reason)
    printing.line()
    rows = [
        (fleet.variant, fleet.version, fleet.instance_type, f"{fleet.now} of {fleet.desired}", _scaling(fleet))
        for fleet in endpoint_report.fleets
    ]
    printing.columns(("VARIANT", "SERVES", "MACHINE", "INSTANCES", "SCALING"), rows)
    if endpoint_report.activities:
        printing.line()
        activities = [
            (on_the_wall(activity.at), activity.status, activity.description, activity.cause)
            for activity in endpoint_report.activities
        ]
        printing.columns(("SCALED", "STATE", "WHAT", "WHY"), activities)
    if endpoint_report.alarms:
        printing.line()
        alarms = [(alarm.name, alarm.state, on_the_wall(alarm.since), alarm.reason) for alarm in endpoint_report.alarms]
        printing.columns(("ALARM", "STATE", "SINCE", "WHY"), alarms)


def _scaling(fleet: InstanceCounts) -> str:
    if fleet.scaling is None:
        return "fixed: not registered for scaling"
    policies = "; ".join(
        f"{policy.metric} near {policy.target:g}, cooldowns {policy.in_seconds} s in and {policy.out_seconds} s out"
        if policy.target is not None
        else policy.metric
        for policy in fleet.scaling.policies
    )
    return f"{fleet.scaling.least} to {fleet.scaling.most} instances: {policies or 'no policy'}"
