"""Commands in messages can be pasted: as pedigree's, or as those of the Makefile that called it."""

from __future__ import annotations

import re

import pytest

from pedigree.cli import hints
from pipeline.commands.make_targets import make_command
from tests.support.cli import ROOT, pedigree

LOCAL = {"MAKELEVEL": "1", "PEDIGREE_LOCAL": "1"}


@pytest.mark.parametrize(
    ("message", "environ", "spelled"),
    [
        ("run `pedigree upsert`", {}, "run `pedigree upsert`"),
        ("run `pedigree upsert`", {"MAKELEVEL": "1"}, "run `make pipeline-upsert`"),
        ("run `pedigree upsert`", LOCAL, "run `make pipeline-upsert LOCAL=1`"),
        ("`pedigree stop 8f3a`, now", LOCAL, "`make pipeline-stop LOCAL=1 ARGS=8f3a`, now"),
        ("`pedigree logs Tune --follow`", LOCAL, '`make pipeline-logs LOCAL=1 ARGS="Tune --follow"`'),
        ("`pedigree local up`", LOCAL, "`make up`"),
        ("`pedigree check --explain CODE`", LOCAL, "`pedigree check --explain CODE`"),
    ],
)
def test_a_command_is_spelled_as_it_is_called(message: str, environ: dict[str, str], spelled: str) -> None:
    assert hints.spelled(message, environ) == spelled


def test_the_makefile_has_every_target_that_a_hint_names() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
    called = re.findall(r"^([a-z0-9-]+):.*\n\t@\$\(AT\)[^\n]*pedigree ([a-z0-9-]+)", makefile, re.MULTILINE)
    assert len(called) > 12
    for target, verb in called:
        assert make_command(verb, "", is_local=False) == f"make {target}"
    for verb in ("up", "down", "status", "logs", "reset"):
        assert make_command("local", verb, is_local=True).split()[1] in targets


def test_a_refusal_on_the_local_aws_names_what_to_paste() -> None:
    done = pedigree("", "ec2-train", PEDIGREE_LOCAL="1", MAKELEVEL="1")
    assert done.returncode == 2
    assert "the local AWS rents no machines; `make pipeline-start LOCAL=1` trains there" in done.stderr
