"""`pedigree schedule` as a person meets it: what it shows, what it asks, and what it does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pedigree.cli.errors import UsageError
from pedigree.cli.main import app
from pipeline.account.managed_pipeline import managed_pipeline
from tests.support.accounts import account, apply_resources, client
from tests.support.definitions import CODE, configure
from tests.support.fakes.aws import ACCOUNT, aws


@pytest.fixture(autouse=True)
def _account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    Path("settings.toml").write_text('[schedule]\nexpression = "cron(0 6 ? * MON *)"\ntimezone = "Europe/Berlin"\n')
    with aws():
        apply_resources([managed_pipeline(configure({"site.account": ACCOUNT}), CODE)], account())
        client("iam").create_role(RoleName="pedigree-scheduler", AssumeRolePolicyDocument="{}")
        yield


def pedigree(*arguments: str) -> Result:
    return CliRunner().invoke(app(), ["schedule", *arguments], catch_exceptions=False)


def schedules() -> list[Any]:
    found: list[Any] = client("scheduler").list_schedules()["Schedules"]
    return found


def test_a_dry_run_shows_the_next_five_times_and_makes_nothing() -> None:
    output = pedigree("make", "--dry-run").stdout
    assert "+ schedule dog-breeds" in output
    assert output.count("06:00") == 5
    assert output.count("  Mon ") == 5
    assert schedules() == []


def test_it_is_made_shown_paused_resumed_and_removed() -> None:
    made = pedigree("make", "--yes")
    assert made.exit_code == 0
    assert "schedule dog-breeds: fires" in made.stdout
    assert "Nothing to change" in pedigree("make").stdout
    assert "To do: 1 to update." in pedigree("pause").stdout
    assert "It is so already." in pedigree("pause").stdout
    assert "schedule dog-breeds: paused" in pedigree("show").stdout
    assert "schedule dog-breeds: fires" in pedigree("resume").stdout
    assert '"expression": "cron(0 6 ? * MON *)"' in pedigree("show", "--json").stdout
    assert pedigree("remove", "--yes").exit_code == 0
    assert schedules() == []
    assert "schedule dog-breeds: not made" in pedigree("show").stdout


def test_removing_needs_consent_and_without_a_terminal_nothing_is_removed() -> None:
    pedigree("make", "--yes")
    with pytest.raises(UsageError, match="no terminal to ask for consent; add --yes"):
        pedigree("remove")
    assert len(schedules()) == 1
