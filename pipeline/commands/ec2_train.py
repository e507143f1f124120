"""`pedigree ec2-train`: trains on one rented machine, which ends itself."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from pedigree.cli import changes, printing
from pedigree.cli.errors import UsageError
from pedigree.cli.following import FAILED_EXIT, INTERRUPTED_EXIT
from pedigree.cli.options import AccountOptions, DryRunOption, EveryOption, YesOption, expand_options
from pedigree.local_endpoint import VARIABLE
from pipeline.commands.context import ProjectContext, connect_project

if TYPE_CHECKING:
    from pipeline.account.ec2.rental import MachineState, Rental, RentalRequest

EVERY = 20.0
BOOT_MINUTES = 15


@expand_options
def command(
    target: AccountOptions,
    instance_type: Annotated[
        str, typer.Option("--instance-type", help="EC2's name; default: that of [training].")
    ] = "",
    minutes: Annotated[
        int | None, typer.Option("--minutes", min=1, max=7200, help="Time limit; default: that of [training].")
    ] = None,
    spot: Annotated[
        bool | None,
        typer.Option("--spot/--no-spot", help="Cheaper, but may be interrupted; default: as in [training]."),
    ] = None,
    data: Annotated[
        str, typer.Option("--data", help="s3:// or https:// of images; default: of the newest execution.")
    ] = "",
    resume: Annotated[str, typer.Option("--resume", help="The run whose checkpoints it resumes.")] = "",
    ami: Annotated[str, typer.Option("--ami", help="The image; default: AWS's deep-learning AMI.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Show its log until it ends.")] = False,
    every: EveryOption = EVERY,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Train once on an EC2 machine that ends itself."""
    if os.environ.get(VARIABLE):
        raise UsageError(
            "the local AWS rents no machines", "`pedigree start` trains there; without LOCAL=1 it is an account"
        )
    context = connect_project(target, announced=True)
    from pipeline.account.ec2.rental import RentalRequest

    is_spot = context.settings.training.spot if spot is None else spot
    wanted = RentalRequest(instance_type, minutes or 0, is_spot, data, resume, ami)
    _rent(context, wanted, yes=yes, dry_run=dry_run, every=every if wait else None)


def _rent(context: ProjectContext, request: RentalRequest, *, yes: bool, dry_run: bool, every: float | None) -> None:
    """Shows the machine, starts it, and follows it with --wait."""
    from pedigree.account.apply import apply_change
    from pedigree.account.plan import Plan
    from pipeline import source
    from pipeline.account.archive import Archive
    from pipeline.account.ec2 import rental as ec2

    archive = source.read()
    rental = ec2.plan(context.account, context.settings, archive, request)
    code = tuple(Archive(context.settings, archive).changes(context.account))
    if not changes.confirmed(Plan((*code, rental.change(rental.subnets[0]))), yes=yes, dry_run=dry_run):
        if dry_run:
            _print_all(rental)
        return
    for change in code:
        apply_change(change, context.account)
    instance = ec2.start(context.account, rental, printing.remark)
    try:
        _tell(context, rental, instance)
        if every:
            _follow(context, rental, instance, every)
    except KeyboardInterrupt:
        printing.remark(f"the machine keeps running, and ends itself; stop it: {_stopping(context, instance)}")
        raise typer.Exit(INTERRUPTED_EXIT) from None


def _print_all(rental: Rental) -> None:
    """Prints the request and the user data."""
    request = {name: value for name, value in rental.request.items() if name != "UserData"}
    typer.echo(f"\nThe request, in one of the subnets {', '.join(rental.subnets)}:")
    typer.echo(json.dumps(request, indent=2))
    typer.echo("\nThe user data:")
    typer.echo(rental.user_data)


def _tell(context: ProjectContext, rental: Rental, instance: str) -> None:
    region = context.account.region
    printing.line(f"started machine {instance}, run {rental.run}")
    printing.line(f"results: {rental.results}/")
    printing.line(f"its log: aws s3 cp --region {region} {rental.results}/train.log -")
    printing.line(f"stop it: {_stopping(context, instance)}")


def _stopping(context: ProjectContext, instance: str) -> str:
    return f"aws ec2 terminate-instances --region {context.account.region} --instance-ids {instance}"


def _follow(context: ProjectContext, rental: Rental, instance: str, every: float) -> None:
    from pedigree.account.errors import UnfinishedError
    from pedigree.account.polling import PollOptions, poll
    from pipeline.account.ec2.rental import watched
    from pipeline.account.ec2.user_data import GRACE_MINUTES

    at_most = (rental.minutes + GRACE_MINUTES + BOOT_MINUTES) * 60
    options = PollOptions(context.account.clock, every, at_most, printing.remark)
    show = _printer(context)
    for machine in poll(watched(context.account, rental, instance), options):
        show(machine)
        if machine.is_over:
            _end(machine, rental, instance)
            return
    raise UnfinishedError(f"machine {instance} has not ended in time", f"end it: {_stopping(context, instance)}")


def _printer(context: ProjectContext) -> Callable[[MachineState], None]:
    """Returns a function that prints new log lines, and the machine's state when it changes."""
    from pedigree.account.times import took

    began = printed = context.account.clock.monotonic()
    state = ""

    def show(machine: MachineState) -> None:
        nonlocal printed, state
        now = context.account.clock.monotonic()
        for line in machine.log.splitlines():
            printing.line(line)
        if machine.state != state or (not machine.log and now - printed >= 60):
            printing.remark(f"machine is {machine.state}, {took(now - began)}")
        elif not machine.log:
            return
        printed, state = now, machine.state

    return show


def _end(machine: MachineState, rental: Rental, instance: str) -> None:
    from pipeline.account.ec2.user_data import MODEL, SUCCEEDED

    if machine.outcome == SUCCEEDED:
        printing.line(f"run {rental.run} has succeeded: {rental.results}/{MODEL}")
        return
    why = machine.outcome or f"machine {instance} has ended without a result ({machine.reason or 'no reason given'})"
    printing.line(f"run {rental.run} has not succeeded: {why}")
    raise typer.Exit(FAILED_EXIT)
