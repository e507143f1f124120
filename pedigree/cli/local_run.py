"""`pedigree local run`: brings any pipeline to the local AWS, starts it, follows it, and says what came of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pedigree.cli import definitions, extras, local_environment, printing, project
from pedigree.cli.account import AccountContext
from pedigree.cli.definitions import DefinitionArgument, NamedDefinition, ScriptArguments
from pedigree.cli.errors import UsageError
from pedigree.cli.following import FAILED_EXIT, followed
from pedigree.cli.local_environment import CONTAINER, FOLDER, IMAGES, ContainerOption, FolderOption, ImagesOption
from pedigree.cli.options import FollowOptions, MinutesOption, ProjectOptions, RegionOption

if TYPE_CHECKING:
    from pedigree.account.account import Account
    from pedigree.account.plan import Change
    from pedigree.account.progress import ExecutionProgress
    from pedigree.language.definition import Definition
    from pedigree.localaws.process import Daemon
    from pedigree.localaws.services.sagemaker.resources.images import Images

_POLL_SECONDS = 0.5
_MOST_SHOWN = 12
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}")
_INSTANCE = re.compile(r'("InstanceType":\s*")(local(?:_gpu)?)(")')
_MACHINE = "ml.m5.xlarge"


@dataclass(frozen=True)
class RunRequest:
    """A pipeline as the local AWS gets it, and the values of its execution."""

    name: str
    definition: str
    role: str
    values: Mapping[str, str]


def command(
    file: DefinitionArgument,
    arguments: ScriptArguments = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter, where not the default.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="The pipeline's name; default: its own, or the file's.")] = "",
    role: Annotated[str, typer.Option("--role", metavar="ARN", help="The role of the pipeline.")] = "",
    folder: FolderOption = FOLDER,
    container: ContainerOption = CONTAINER,
    images: ImagesOption = IMAGES,
    region: RegionOption = None,
    minutes: MinutesOption = 24 * 60,
) -> None:
    """Run any pipeline here: create or update it, start it, follow it. Exit code 1 if it fails."""
    extras.demand("local")
    file_of_images, pytorch = local_environment.images_file(images), container if container.exists() else None
    daemon = _up(folder, pytorch, file_of_images, region or os.environ.get("AWS_REGION") or local_environment.REGION)
    account = _connect(daemon)
    request = _request(definitions.read(file, arguments, daemon.url), file, account, values or [], name, role)
    context = AccountContext(account, request.name, is_named=True)
    _prepare(account, request, _images(file_of_images, pytorch, daemon.engine, folder), _enter(folder))
    arn = _start(account, request)
    try:
        _report(context, followed(context, arn, FollowOptions(_POLL_SECONDS, minutes)))
    finally:
        printing.remark(f"its logs: {_enter(folder)}; {context.hint('logs')}")


def _up(folder: Path, pytorch: Path | None, images: Path | None, region: str) -> Daemon:
    from pedigree.localaws import process

    if process.find(folder) is None:
        printing.remark(f"starting the local AWS in {folder}")
    return process.up(folder, process.UpOptions(region=region, container=pytorch, images=images))


def _images(file: Path | None, pytorch: Path | None, engine: str, folder: Path) -> Images:
    from pedigree.localaws.engine.engines import Engines
    from pedigree.localaws.images.catalog import ImageCatalog
    from pedigree.localaws.images.environments import Environments
    from pedigree.localaws.services.sagemaker.resources.images import Images

    return Images(ImageCatalog(file, pytorch), Environments(), Engines(engine, folder))


def _enter(folder: Path) -> str:
    """The command after which the verbs of this shell are about the local AWS."""
    option = f" --folder {folder}" if folder != FOLDER else ""
    return f'eval "$(pedigree local up{option})"'


def _connect(daemon: Daemon) -> Account:
    from pedigree.account.connect import connect

    local_environment.enter(daemon, os.environ)
    return connect()


def _request(
    source: NamedDefinition, file: Path, account: Account, values: list[str], name: str, role: str
) -> RunRequest:
    """The pipeline in the account of the local AWS, after its name and its values have been checked."""
    from pedigree.account.named_resources import foreign_accounts, in_account, roles
    from pedigree.account.start import checked
    from pedigree.language.defaults import with_values
    from pedigree.language.definition import parse
    from pedigree.sdk.account import EXECUTION_ROLE, role_arn

    text = _INSTANCE.sub(rf"\g<1>{_MACHINE}\g<3>", source.text)
    if text != source.text:
        printing.remark(f"  the instance type local is taken as {_MACHINE}")
    foreign = foreign_accounts(text + source.role + role, account.id)
    if foreign:
        printing.remark(f"  ARNs of account {', '.join(foreign)} are read as those of the local account, {account.id}")
    text = in_account(text, account.id)
    definition = parse(text)
    given = checked(
        [*(f"{key}={value}" for key, value in _started(source, values).items()), *values], definition.parameters
    )
    project.check_values(ProjectOptions(), definition, given)
    given = {key: in_account(value, account.id) for key, value in given.items()}
    named = in_account(role or source.role, account.id)
    pipeline_role = named or next(iter(roles(with_values(definition, given))), role_arn(EXECUTION_ROLE))
    return RunRequest(_checked_name(name or source.name or _file_name(file)), text, pipeline_role, given)


def _started(source: NamedDefinition, values: list[str]) -> dict[str, str]:
    """The values with which a script starts its pipeline, where --set gives no other."""
    given = {text.partition("=")[0] for text in values}
    return {key: value for key, value in source.parameters.items() if key not in given}


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name} is not a pipeline's name", "give one with --name, of letters, digits and -")
    return name


def _file_name(file: Path) -> str:
    return re.sub(r"[^a-zA-Z0-9]+", "-", file.stem).strip("-") or "pipeline"


def _prepare(account: Account, request: RunRequest, images: Images, enter: str) -> None:
    """Makes what the pipeline needs on the local AWS, and creates or updates it."""
    from pedigree.account.apply import apply_change
    from pedigree.account.local_resources import check_inputs, missing_buckets, missing_roles
    from pedigree.account.pipelines import upsert
    from pedigree.language.defaults import with_values
    from pedigree.language.definition import parse

    definition = with_values(parse(request.definition), request.values)
    _check_runnable(definition, images)
    for change in (*missing_roles(account, definition, request.role), *missing_buckets(account, definition)):
        _show(change)
        apply_change(change, account)
    check_inputs(account, definition, enter)
    changed = upsert(account, request.name, request.definition, request.role)
    if changed is None:
        printing.line(f"  pipeline {request.name} is up to date")
        return
    _show(changed)
    apply_change(changed, account)


def _check_runnable(definition: Definition, images: Images) -> None:
    from pedigree.localaws.http.protocol.errors import ServiceError
    from pedigree.localaws.services.sagemaker.executions import runnable

    try:
        runnable.check(definition, images)
    except ServiceError as error:
        cause, _, remedy = error.message.rstrip(".").partition(". " if ". " in error.message else "; ")
        raise UsageError(cause, f"{remedy[:1].lower()}{remedy[1:]}" or "leave it out for this machine") from None


def _show(change: Change) -> None:
    from pedigree.account import show

    printing.line(show.line(change))
    for why in change.why[:_MOST_SHOWN]:
        printing.line(f"      {why}")
    if len(change.why) > _MOST_SHOWN:
        printing.line(f"      and {len(change.why) - _MOST_SHOWN} more changes")


def _start(account: Account, request: RunRequest) -> str:
    from pedigree.account.apply import apply_change
    from pedigree.account.start import StartRequest, start

    given = tuple(f"{key}={value}" for key, value in request.values.items())
    change = start(account, request.name, StartRequest(given))
    arn: str = apply_change(change, account)["started"]["PipelineExecutionArn"]
    with_values = f" with {', '.join(given)}" if given else ""
    printing.line(f"started execution {arn.rpartition('/')[2]}{with_values}")
    return arn


def _report(context: AccountContext, view: ExecutionProgress) -> None:
    """What came of the execution: what failed first, then how it ended, what it made, and where its logs are."""
    from pedigree.account.step_outputs import outputs
    from pedigree.cli import execution_view

    for line in (*_failed_without_log(view), *execution_view.failures(view, "")):
        printing.line(line)
    printing.line(execution_view.headline(view.execution, context.account.clock.now()))
    rows = [(output.step, output.name, output.value) for output in outputs(context.account, view.execution.arn)]
    if rows:
        printing.columns(("STEP", "OUTPUT", "WHERE OR WHAT"), rows)
    if view.execution.status != "Succeeded":
        raise typer.Exit(FAILED_EXIT)


def _failed_without_log(view: ExecutionProgress) -> Iterator[str]:
    for step in view.steps:
        if step.status == "Failed" and step.name not in view.logs:
            yield f"{step.name} failed: {step.reason or 'without a reason'}"
