"""Following an execution has an end, and an exit code for its outcome."""

from __future__ import annotations

import pytest
import typer

from pedigree.account.errors import UnfinishedError
from pedigree.account.executions import Execution
from pedigree.account.progress import ExecutionProgress
from pedigree.cli import following
from pedigree.cli.account import AccountContext
from pedigree.cli.following import ExpectedEnd, follow
from pedigree.cli.options import FollowOptions
from tests.support.fakes.executions import Executions, ExecutionState, Logs, arn
from tests.support.fakes.served_services import account_with


def followed(*stages: ExecutionState, minutes: int = 60, statuses: tuple[str, ...] = ("Succeeded",)) -> None:
    fake = Executions()
    fake.add("run", *stages)
    context = AccountContext(account_with({"sagemaker": fake, "logs": Logs()}), "dog-breeds")
    follow(context, arn("run"), FollowOptions(minutes=minutes), ExpectedEnd(statuses))


def test_an_execution_that_does_not_end_in_time_goes_on() -> None:
    with pytest.raises(UnfinishedError, match="run goes on after 30 minutes; `pedigree status run` follows it again"):
        followed(ExecutionState("Executing"), minutes=30)


@pytest.mark.parametrize(("status", "code"), [("Failed", 1), ("Stopped", 1), ("CompletedWithFailures", 1)])
def test_an_end_that_is_not_wanted_has_an_exit_code(status: str, code: int) -> None:
    with pytest.raises(typer.Exit) as raised:
        followed(ExecutionState("Executing"), ExecutionState(status))
    assert raised.value.exit_code == code
    followed(ExecutionState("Executing"), ExecutionState(status), statuses=(status,))


def test_why_there_is_no_answer_is_printed_once_until_there_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    context = AccountContext(account_with({}), "dog-breeds")
    lines = following._Lines(context, err=False)
    for text in ("no answer", "no answer"):
        lines.report(text)
    lines.show(ExecutionProgress(Execution("arn/execution/run", "Executing"), (), ""))
    lines.report("no answer")
    assert capsys.readouterr().err == "no answer\nno answer\n"


def test_success_has_none() -> None:
    """It returns, where any other end raises."""
    followed(ExecutionState("Executing"), ExecutionState("Succeeded"))
