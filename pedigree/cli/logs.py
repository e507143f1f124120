"""`pedigree logs`: the lines that the steps of an execution write, together and in order of time, as they come."""

from __future__ import annotations

import datetime as dt
import os
import re
import sys
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pedigree.cli import printing
from pedigree.cli.account import AccountContext, connect_account
from pedigree.cli.errors import UsageError
from pedigree.cli.following import INTERRUPTED_EXIT
from pedigree.cli.options import EveryOption, MinutesOption, PipelineOptions, expand_options
from pedigree.language.text import printable

if TYPE_CHECKING:
    from pedigree.account.execution_logs import ExecutionLogs
    from pedigree.account.executions import Execution
    from pedigree.account.log_streams import LogEvent
    from pedigree.account.polling import PollOptions

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_COLORS = (typer.colors.CYAN, typer.colors.GREEN, typer.colors.YELLOW, typer.colors.MAGENTA, typer.colors.BLUE)
StepArgument = Annotated[
    list[str] | None, typer.Argument(metavar="STEP", help="Only these steps; default: all of them.")
]
ExecutionOption = Annotated[
    str, typer.Option("--execution", help="The start of an execution's id, or its ARN; default: newest.")
]
FollowOption = Annotated[bool, typer.Option("--follow", "-f", help="Print lines as they come, until it ends.")]
TailOption = Annotated[int | None, typer.Option("--tail", min=0, help="Only so many lines, the last ones.")]
SinceOption = Annotated[str, typer.Option("--since", help="Only lines since then: 10m, 2h, or 2026-01-31T12:00.")]
JobOption = Annotated[str, typer.Option("--job", help="Only jobs and trials with this in their name.")]
HostOption = Annotated[str, typer.Option("--host", help="Only this machine of a job, for example algo-2.")]
TimesOption = Annotated[bool, typer.Option("--timestamps", help="Begin each line with its time.")]


@expand_options
def command(
    target: PipelineOptions,
    steps: StepArgument = None,
    execution: ExecutionOption = "",
    follow: FollowOption = False,
    tail: TailOption = None,
    since: SinceOption = "",
    job: JobOption = "",
    host: HostOption = "",
    timestamps: TimesOption = False,
    every: EveryOption = 3.0,
    minutes: MinutesOption = 24 * 60,
) -> None:
    """Print what the steps of an execution log."""
    context = connect_account(target)
    from pedigree.account import executions
    from pedigree.account.execution_logs import ExecutionLogs
    from pedigree.account.polling import PollOptions
    from pedigree.account.step_logs import LogFilter

    moment = _moment(since, context.account.clock.now()) if since else None
    chosen = executions.choose(context.account, context.pipeline, execution)
    wanted = LogFilter(tuple(steps or ()), job, host, moment)
    logs = ExecutionLogs(context.account, chosen.arn, wanted)
    options = PollOptions(context.account.clock, every, minutes * 60 if follow else 0, printing.remark)
    try:
        _print(context, logs, options, LogOutput(logs.step_names, tail, timestamps=timestamps), follow=follow)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED_EXIT) from None


class LogOutput:
    """Prints events: each line behind the name of its step, in its color on a terminal."""

    def __init__(self, step_names: Iterable[str], tail: int | None = None, *, timestamps: bool = False) -> None:
        self._width = max(map(len, step_names), default=0)
        self._timestamps = timestamps
        self._kept: deque[str] | None = None if tail is None else deque(maxlen=tail)
        self._has_colors = sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def show(self, event: LogEvent) -> None:
        """Prints the lines of an event, or keeps them if only the last lines are wanted."""
        for line in self._lines(event):
            if self._kept is None:
                typer.echo(line)
            else:
                self._kept.append(line)

    def flush(self) -> None:
        """Prints what is kept; what comes later is printed at once."""
        for line in self._kept or ():
            typer.echo(line)
        self._kept = None

    def _lines(self, event: LogEvent) -> Iterator[str]:
        from pedigree.account.jobs import lines_of_message

        label = printable(event.label).ljust(self._width)
        if self._has_colors:
            label = typer.style(label, fg=_color(event.label.partition("/")[0]))
        moment = f"{_local(event.milliseconds)} " if self._timestamps else ""
        for line in lines_of_message(event.message):
            yield f"{moment}{label} | {printable(line.expandtabs())}"


def _print(
    context: AccountContext, logs: ExecutionLogs, options: PollOptions, output: LogOutput, *, follow: bool
) -> None:
    from pedigree.account.polling import retry_unanswered
    from pedigree.cli import execution_view

    read = _pass(context, logs, output)
    if not follow:
        execution = retry_unanswered(read, options.clock, options.report)
        _explain(logs, execution)
        return
    execution = _until_over(context, read, options)
    _explain(logs, execution)
    printing.remark(execution_view.headline(execution, options.clock.now()))


def _pass(context: AccountContext, logs: ExecutionLogs, output: LogOutput) -> Callable[[], Execution]:
    """Returns the function that prints what is new, and says once which steps were reused."""
    announced: set[str] = set()

    def read() -> Execution:
        execution = logs.refresh()
        for event in logs.new_events():
            output.show(event)
        output.flush()
        for name, source in logs.reused().items():
            if name not in announced:
                announced.add(name)
                shown = f"{context.hint(f'logs {name} --execution {source}')} shows its log"
                printing.remark(f"{name} was not run: its result is that of execution {source}; {shown}")
        return execution

    return read


def _until_over(context: AccountContext, read: Callable[[], Execution], options: PollOptions) -> Execution:
    """Prints until the execution has ended, and once more: the last lines come late."""
    from pedigree.account.errors import UnfinishedError
    from pedigree.account.polling import poll
    from pedigree.account.times import took

    was_over = False
    for execution in poll(read, options):
        if was_over:
            return execution
        was_over = execution.is_over
    cause = f"the execution goes on after {took(options.at_most)}"
    raise UnfinishedError(cause, f"{context.hint('logs --follow')} follows it again")


def _explain(logs: ExecutionLogs, execution: Execution) -> None:
    for reason in logs.reasons(is_over=execution.is_over):
        printing.remark(reason)


def _moment(text: str, now: dt.datetime) -> dt.datetime:
    """The moment that --since names; without a zone, in this machine's."""
    ago = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if ago:
        return now - dt.timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        return dt.datetime.fromisoformat(re.sub("[zZ]$", "+00:00", text)).astimezone()
    except ValueError:
        raise UsageError(f"--since {text} is not a time", "write 10m, 2h, 1d or 2026-01-31T12:00") from None


def _local(milliseconds: int) -> str:
    moment = dt.datetime.fromtimestamp(milliseconds / 1000, dt.timezone.utc).astimezone()
    return f"{moment:%Y-%m-%d %H:%M:%S}.{milliseconds % 1000:03}"


def _color(name: str) -> str:
    return _COLORS[zlib.crc32(name.encode()) % len(_COLORS)]
