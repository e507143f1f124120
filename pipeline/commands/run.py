"""`pedigree run`: runs the whole pipeline on this machine, from pictures to an endpoint that answers.

The pictures are drawn, or with --data the user's own, for which it also chooses settings.

It does what the other verbs do, one after the other, to the local AWS: start it, put the pipeline there, start an
execution and follow it, ask the endpoint. The pipeline does not know of this module, and nothing is simplified for it.
"""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pedigree.cli import following, local_environment, printing
from pedigree.cli.errors import UsageError
from pedigree.cli.options import AccountOptions, FollowOptions, ProjectOptions, SettingsOption
from pipeline.commands import own_data, results, settings_files, upsert
from pipeline.commands.context import ProjectContext
from pipeline.commands.project import load_settings

if TYPE_CHECKING:
    from pedigree.account.plan import Change
    from pedigree.account.progress import ExecutionProgress
    from pipeline.data.inspection import Inspection
    from pipeline.data.packing import PicturesZip

EVERY_SECONDS = 0.5
_MINUTES = 24 * 60
_ENDING_MINUTES = 5
_RESULTS = "results"
_EXAMPLE = "example.jpg"
StayOption = Annotated[bool, typer.Option("--stay", help="On Ctrl-C, keep the local AWS and its jobs running.")]
FreshOption = Annotated[bool, typer.Option("--fresh", help="First remove what earlier runs have left.")]


@dataclass
class RunState:
    """What a run has started, and ends if it is interrupted."""

    has_started_aws: bool = False
    context: ProjectContext | None = None
    starting: Change | None = None
    execution: str = ""


@dataclass(frozen=True)
class FittedDataSet:
    """The user's own pictures, and the settings files to use with them."""

    package: PicturesZip
    settings: str


def command(
    folder: local_environment.FolderOption = local_environment.FOLDER,
    container: local_environment.ContainerOption = local_environment.CONTAINER,
    settings: SettingsOption = "",
    data: own_data.DataOption = "",
    fresh: FreshOption = False,
    stay: StayOption = False,
) -> None:
    """Run the whole pipeline on this machine."""
    if not container.exists():
        raise UsageError(
            f"there is no {container}, the environment of the scripts", "make run sets it up, or name another"
        )
    state, since = RunState(), time.monotonic()
    with _ending(state, folder, stay=stay):
        with _inspected(data, folder) as inspection:
            _start_aws(state, folder, container, fresh=fresh)
            state.context = _put_there(inspection, settings, folder)
        _say("starting an execution", "make pipeline-start LOCAL=1 ARGS=--wait")
        view = _executed(state, state.context)
    following.end(state.context, view)
    _tell(state.context, view, folder, time.monotonic() - since, data)


def _put_there(inspection: Inspection | None, settings: str, folder: Path) -> ProjectContext:
    """Puts the pipeline into the local AWS, and the user's own pictures if there are any."""
    data_set = _fitted(inspection, settings, folder) if inspection else None
    settings = data_set.settings if data_set else settings
    _say("putting the pipeline there", "make pipeline-upsert LOCAL=1")
    context = upsert.apply_all(AccountOptions(settings))
    if data_set:
        _upload(context, data_set.package)
    return context


def _start_aws(state: RunState, folder: Path, container: Path, *, fresh: bool) -> None:
    from pedigree.localaws import process

    if fresh:
        process.reset(folder)
    state.has_started_aws = process.find(folder) is None
    running = process.up(folder, process.UpOptions(container=container))
    local_environment.enter(running, os.environ)
    _say(f"the local AWS is at {running.url}, its log is {process.log_path(folder)}", "make up")


@contextmanager
def _inspected(data: str, folder: Path) -> Iterator[Inspection | None]:
    """The user's own pictures, read before anything is started."""
    if not data:
        yield None
        return
    _say(f"looking at {data}", "make run DATA=…")
    with own_data.inspected(data, folder) as inspection:
        yield inspection


def _fitted(inspection: Inspection, settings: str, folder: Path) -> FittedDataSet:
    """The pictures as one package, and settings for them on top of the others."""
    from pipeline.account.data_set import uri

    package = own_data.packed(inspection)
    names = ":".join(settings_files.find(settings, os.environ))
    site = load_settings(ProjectOptions(settings)).site
    path = own_data.write_settings(inspection, uri(site, package), folder)
    return FittedDataSet(package, f"{names}:{path}")


def _upload(context: ProjectContext, package: PicturesZip) -> None:
    """Uploads the pictures, unless the local AWS has them."""
    from pedigree.account.apply import apply_plan
    from pedigree.account.plan import plan
    from pedigree.cli.progress import progress
    from pipeline.account.data_set import DataSet

    wanted = [DataSet(context.settings, package)]
    with progress() as progress_line:
        apply_plan(wanted, context.account, plan(wanted, context.account), progress_line.change, progress_line.waiting)


def _executed(state: RunState, context: ProjectContext) -> ExecutionProgress:
    """An execution from its start to its end."""
    from pedigree.account.apply import apply_change
    from pedigree.account.polling import retry_unanswered
    from pedigree.account.progress import progress_reader
    from pedigree.account.start import StartRequest, start

    pipeline = context.pipeline
    state.starting = change = start(context.account, pipeline, StartRequest((), "", "started by pedigree run"))
    answers = retry_unanswered(lambda: apply_change(change, context.account), context.account.clock, printing.remark)
    state.execution = answers["started"]["PipelineExecutionArn"]
    timing = FollowOptions(EVERY_SECONDS, _MINUTES)
    view = following.until_over(context, progress_reader(context.account, pipeline, state.execution), timing)
    if view is None:
        raise UsageError(f"the execution is not over after {_MINUTES} minutes", "`pedigree status` follows it again")
    return view


@contextmanager
def _ending(state: RunState, folder: Path, *, stay: bool) -> Iterator[None]:
    """On Ctrl-C, ends what was started here."""
    try:
        yield
    except KeyboardInterrupt:
        if stay:
            printing.remark("interrupted; the local AWS keeps running: make status, make down")
        else:
            _end_unless_interrupted(state, folder)
        raise typer.Exit(following.INTERRUPTED_EXIT) from None


def _end_unless_interrupted(state: RunState, folder: Path) -> None:
    printing.remark("interrupted; ending what was started here")
    try:
        end(state, folder)
    except KeyboardInterrupt:
        printing.remark("interrupted again; the rest ends without this command: make status, make pipeline-status")


def end(state: RunState, folder: Path) -> None:
    """Ends what a run has started, and waits until its jobs have ended."""
    from pedigree.account.errors import OperationsError
    from pedigree.localaws import process

    try:
        if state.context and state.starting:
            _stop(state, state.context, state.starting)
    except OperationsError as error:
        printing.remark(f"the execution could not be stopped: {error}")
    finally:
        if state.has_started_aws:
            process.down(folder)


def _stop(state: RunState, context: ProjectContext, starting: Change) -> None:
    from pedigree.account import executions
    from pedigree.account.apply import apply_change
    from pedigree.account.progress import progress_reader

    # Starting is interrupted before its answer arrives: the same call with the same token returns the execution.
    started = state.execution or apply_change(starting, context.account)["started"]["PipelineExecutionArn"]
    change = executions.stop(executions.described(context.account, started))
    if change:
        apply_change(change, context.account)
    if not state.has_started_aws:
        printing.remark("waiting until its jobs have ended; Ctrl-C stops waiting")
        timing = FollowOptions(EVERY_SECONDS, _ENDING_MINUTES)
        view = following.until_over(context, progress_reader(context.account, context.pipeline, started), timing)
        if view is None:
            printing.remark(f"the execution has not ended after {_ENDING_MINUTES} minutes; pedigree status follows it")


def _tell(context: ProjectContext, view: ExecutionProgress, folder: Path, seconds: float, data: str) -> None:
    """Prints the results and the next steps."""
    from pipeline.account.results import fetched
    from pipeline.account.results import results as read_results

    execution_results = read_results(context.account, view)
    results_folder = folder / _RESULTS
    results_folder.mkdir(parents=True, exist_ok=True)
    printing.line("")
    results.print_lines(results.lines(context, view, execution_results))
    if execution_results.champion:
        (results_folder / "report.html").write_bytes(fetched(context.account, execution_results.champion.report))
    if execution_results.picture:
        content = fetched(context.account, execution_results.picture.address)
        (results_folder / _EXAMPLE).write_bytes(content)
        results.print_lines(
            iter([("Prediction", results.prediction(context, content, execution_results.picture.label))])
        )
    here = [("Report here", str(results_folder / "report.html")), ("Logs here", str(folder / "logs"))]
    results.print_lines(iter([*here, ("All of it", f"{seconds:.0f} s")]))
    _suggest(results_folder / _EXAMPLE, data)


def _suggest(picture: Path, data: str) -> None:
    printing.line("")
    printing.line("What next:")
    for command, text in (
        (f"make predict LOCAL=1 IMAGE={picture}", "ask the endpoint, through the predict function"),
        ("make endpoint-status LOCAL=1", "see how it serves and scales"),
        ("make pipeline-start LOCAL=1 PARAMS=Epochs=8 ARGS=--wait", "train longer"),
        (
            f"make run DATA={shlex.quote(data)}" if data else "make run",
            "run it again: what has not changed is not run again",
        ),
        ("make down", "end the local AWS; make reset forgets it"),
    ):
        printing.line(f"  {command:<56}  {text}")


def _say(text: str, verb: str) -> None:
    printing.line("")
    printing.line(f"==> {text}  ({verb})")
