"""A step that reads what another one writes must wait for it, also where it reads only a part of that."""

from __future__ import annotations

import pytest

from pedigree.checks.evidence import Evidence
from pedigree.checks.run import run
from tests.pedigree.checks.small import document, put

OUTPUT = "Prepare.Arguments.ProcessingOutputConfig.Outputs.0.S3Output.S3Uri"
SIDE = "s3://work/side"


@pytest.mark.parametrize(
    ("written", "read", "is_reported"),
    [
        (SIDE, SIDE, True),
        (SIDE, f"{SIDE}/", True),
        (SIDE, f"{SIDE}/scores.csv", True),
        (f"{SIDE}/", f"{SIDE}/deep/er", True),
        (SIDE, f"{SIDE}ways/scores.csv", False),
        (SIDE, f"{SIDE}/code/evaluate.py", False),
        ("s3://work", f"{SIDE}/scores.csv", False),
    ],
)
def test_what_is_below_a_written_prefix_is_written_with_it(written: str, read: str, *, is_reported: bool) -> None:
    whole = document()
    put(whole, OUTPUT, written)
    put(whole, "Evaluate.DependsOn", [])
    put(whole, "Evaluate.Arguments.ProcessingInputs", [])
    put(whole, ".Parameters.4.DefaultValue", read)
    put(whole, "Tune.Arguments.TrainingJobDefinition.InputDataConfig.0.DataSource.S3DataSource.S3Uri", read)
    found = [finding.pointer for finding in run(whole, Evidence()) if finding.code == "REF013"]
    assert bool(found) is is_reported
