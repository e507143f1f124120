"""A definition with errors is not put into an account; the local AWS takes it as AWS would, and reports them."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from pedigree.checks.errors import UnknownCodeError
from pedigree.checks.ignoring import Ignored
from pedigree.cli.errors import UsageError
from pedigree.localaws.services.sagemaker.executions.definition_checks import log_errors
from pipeline.commands import soundness
from tests.support.definitions import configure

GOLDEN = (Path(__file__).parents[2] / "golden" / "definition.json").read_text()
BROKEN = GOLDEN.replace("Parameters.Epochs", "Parameters.Epoch")


def test_a_sound_definition_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    soundness.demand(GOLDEN, [])
    assert capsys.readouterr() == ("", "")


def test_errors_are_shown_and_stop(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(
        UsageError, match=r"has \d errors, and nothing has been changed; see more with `pedigree check`"
    ):
        soundness.demand(BROKEN, [])
    assert "REF001 error /Steps/1/Arguments/" in capsys.readouterr().err


def test_what_settings_leave_out_does_not_stop() -> None:
    soundness.demand(BROKEN, [Ignored("REF001", "it comes later")])


def test_settings_leave_out_what_they_say() -> None:
    entry = {"code": "CST004", "step": "Tune", "reason": "it is short"}
    assert soundness.ignored(configure({"checks.ignore": [entry]})) == [Ignored("CST004", "it is short", "Tune")]
    with pytest.raises(UnknownCodeError, match="no rule has a code like CST9"):
        soundness.ignored(configure({"checks.ignore": [{**entry, "code": "CST9"}]}))


def test_the_local_aws_tells_errors_in_its_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        log_errors("dog-breeds", GOLDEN)
        assert caplog.messages == []
        log_errors("dog-breeds", BROKEN)
    assert caplog.messages[0].startswith("pipeline dog-breeds: REF001 error /Steps/1/Arguments/")
