"""Why there is no answer stands below the table of an execution, until there is one."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from pedigree.account.account import Account
from pedigree.account.executions import Execution
from pedigree.account.progress import ExecutionProgress
from pedigree.cli.live_table import LiveTable
from tests.support.accounts import account

NO_ANSWER = "no answer, asked again in 10 s: the local AWS does not answer; `pedigree local up` starts it"


def shown(table: LiveTable) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(table.rendered())
    return str(console.file.getvalue())  # type: ignore[attr-defined]


@pytest.fixture
def table() -> LiveTable:
    here: Account = account()
    return LiveTable(here, Console(file=io.StringIO()))


def test_it_stands_below_the_table_and_goes_with_the_next_answer(table: LiveTable) -> None:
    view = ExecutionProgress(Execution("arn/execution/run", "Executing"), (), "")
    assert shown(table) == "asking …\n"
    table.show(view)
    table.report(NO_ANSWER)
    assert shown(table).rstrip().endswith(NO_ANSWER)
    table.report(NO_ANSWER)
    assert shown(table).count("no answer") == 1
    table.show(view)
    assert "no answer" not in shown(table)
    assert "execution run: Executing" in shown(table)
