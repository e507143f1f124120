"""A plan that nobody is asked about is printed once, change by change, and without a bill."""

from __future__ import annotations

from collections import Counter

import pytest

from pedigree.cli.options import AccountOptions
from pipeline.commands import upsert
from tests.support.cli import ROOT
from tests.support.fakes.aws import REGION

TARGET = AccountOptions(str(ROOT / "settings.toml"))


@pytest.mark.usefixtures("empty_account")
def test_each_change_is_one_line_and_nothing_speaks_of_dollars(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PEDIGREE_LOCAL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    upsert.apply_all(TARGET)
    lines = capsys.readouterr().out.splitlines()
    changes = Counter(line for line in lines if line.startswith("  + "))
    assert "  + pipeline dog-breeds" in changes
    assert set(changes.values()) == {1}
    assert lines[-1].startswith("Done: ")
    assert not any("USD" in line for line in lines)
    upsert.apply_all(TARGET)
    assert capsys.readouterr().out == "Nothing to change: everything matches the settings.\n"
