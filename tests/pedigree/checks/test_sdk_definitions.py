"""Definitions that SDKs write have no finding but what is truly wrong; tests/fixtures/sdk/README.md says why it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pedigree.checks.finding import Severity
from pedigree.checks.run import run
from pedigree.language.definition import STEP_TYPES
from pedigree.language.model import shape
from tests.support.sdk_definitions import DEFINITIONS, FOLDER, name

TRULY_WRONG = {
    ("v2/abalone", "DEP014", "AbaloneTransform"),
    ("v2/conditions", "CST002", "Train"),
    ("v2/functions", "CST002", "Deploy"),
    ("v2/older-steps", "DEP014", "Transform"),
    ("v2/pytorch", "CON032", "TrainOnSpot"),
    ("v2/runs-locally", "CON013", "Register-RegisterModel"),
    ("v3/endpoints", "CON013", "Create"),
    ("v3/quality", "CON013", "Register"),
    ("v3/runs-locally", "CON013", "Register"),
}
NOT_BUILT_WITHOUT_A_NETWORK = {"Job"}
BUILT_BY_NO_SDK = {
    *("Athena", "HubContent", "BedrockModelImport", "BedrockCustomModel", "BedrockCustomModelDeployment"),
    "BedrockProvisionedModelThroughput",
}
OTHER_NAMES = {"AutoMLJob": "AutoML", "TrainingJob": "Training", "ProcessingJob": "Processing"}
OTHER_NAMES |= {"TransformJob": "Transform", "TuningJob": "Tuning"}


@pytest.mark.parametrize("path", DEFINITIONS, ids=name)
def test_only_real_faults_are_found(path: Path) -> None:
    found = [finding for finding in run(json.loads(path.read_text())) if finding.severity >= Severity.WARNING]
    reported = {(name(path), finding.code, finding.step) for finding in found}
    assert reported == {fault for fault in TRULY_WRONG if fault[0] == name(path)}, "\n".join(map(str, found))


def test_each_is_explained() -> None:
    note = (FOLDER / "README.md").read_text()
    rows = [line for line in note.splitlines() if line.startswith("| v")]
    for path, code, _ in TRULY_WRONG:
        assert any(path in row and code in row for row in rows), (path, code)


def test_every_type_of_step_is_there() -> None:
    types = {kind for path in DEFINITIONS for kind in _types(json.loads(path.read_text())["Steps"])}
    assert types == set(STEP_TYPES) - NOT_BUILT_WITHOUT_A_NETWORK - BUILT_BY_NO_SDK
    assert len(DEFINITIONS) >= 12


def test_the_types_are_those_of_the_service() -> None:
    """SageMaker's API describes the steps of an execution, with a member for each type."""
    described = shape("PipelineExecutionStepMetadata").members
    assert {OTHER_NAMES.get(name, name) for name in described} == set(STEP_TYPES)


def _types(steps: list[dict[str, Any]]) -> Iterator[str]:
    for step in steps:
        yield step["Type"]
        for branch in ("IfSteps", "ElseSteps", "ForEachBody"):
            yield from _types(step["Arguments"].get(branch, []))
