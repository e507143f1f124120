"""What a step creates has the role that its request names, or that of the pipeline."""

from __future__ import annotations

from typing import Any

import pytest

from pedigree.language.step_roles import with_pipeline_role

OWN = {"RoleArn": "own"}


@pytest.mark.parametrize(
    ("kind", "arguments", "filled"),
    [
        ("Processing", {}, {"RoleArn": "pipeline"}),
        ("Training", OWN, OWN),
        ("Model", {}, {"ExecutionRoleArn": "pipeline"}),
        ("Tuning", {"TrainingJobDefinition": {}}, {"TrainingJobDefinition": {"RoleArn": "pipeline"}}),
        ("Tuning", {"TrainingJobDefinitions": [{}, OWN]}, {"TrainingJobDefinitions": [{"RoleArn": "pipeline"}, OWN]}),
        ("Tuning", {"TrainingJobDefinitions": [1]}, {"TrainingJobDefinitions": [1]}),
        ("Transform", {}, {}),
    ],
)
def test_the_role_is_filled_in_where_there_is_none(kind: str, arguments: Any, filled: Any) -> None:
    assert with_pipeline_role(kind, arguments, "pipeline") == filled
