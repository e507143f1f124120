"""Following an execution has an end, and an exit code that tells the outcome."""

from __future__ import annotations

import pytest
import typer

from pedigree.account.errors import UnfinishedError
from pedigree.cli.account import Place
from pedigree.cli.following import Following, follow
from tests.support.definitions import configure
from tests.support.fakes.executions import Executions, ExecutionState, Logs, arn
from tests.support.fakes.served_services import account_with


def followed(*stages: ExecutionState, how: Following = Following()) -> None:  # noqa: B008 - it is frozen
    fake = Executions()
    fake.add("run", *stages)
    follow(Place(configure({}), account_with({"sagemaker": fake, "logs": Logs()})), arn("run"), how)


def test_an_execution_that_does_not_end_in_time_goes_on() -> None:
    with pytest.raises(UnfinishedError, match="run goes on after 30 minutes; pedigree status run follows it again"):
        followed(ExecutionState("Executing"), how=Following(minutes=30))


@pytest.mark.parametrize(("status", "code"), [("Failed", 1), ("Stopped", 1), ("CompletedWithFailures", 1)])
def test_an_end_that_is_not_wanted_has_an_exit_code(status: str, code: int) -> None:
    with pytest.raises(typer.Exit) as raised:
        followed(ExecutionState("Executing"), ExecutionState(status))
    assert raised.value.exit_code == code
    followed(ExecutionState("Executing"), ExecutionState(status), how=Following(wanted=(status,)))


def test_success_has_none() -> None:
    """It returns, where any other end raises."""
    followed(ExecutionState("Executing"), ExecutionState("Succeeded"))
