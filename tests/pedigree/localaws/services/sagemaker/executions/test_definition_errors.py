"""What is found in a definition that has any form at all: an error of AWS's, or nothing, and never a crash."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pedigree.language.definition import STEP_TYPES
from pedigree.localaws.services.sagemaker.executions.definition_errors import refusal

VALUES: tuple[Any, ...] = (None, 1, "text", [], [1], {}, {"a": 1}, {"Get": "Parameters.A"}, True)
MEMBERS = ("Name", "Type", "Arguments", "DependsOn")
IN_CONDITIONS = ("Conditions", "IfSteps", "ElseSteps")


def deep(levels: int) -> str:
    """A definition whose condition is that many conditions deep."""
    inner = '{"Type": "Not", "Condition": ' * levels + "{}" + "}" * levels
    return f'{{"Steps": [{{"Type": "Condition", "Arguments": {{"Conditions": [{inner}]}}}}]}}'


@pytest.mark.parametrize("text", ["", "{", "[]", "1", '"x"', '{"Steps": 1}', '{"Steps": [1, [], null]}', deep(5_000)])
def test_a_text_of_another_form_has_no_error_of_these(text: str) -> None:
    assert refusal(text) == ""


@pytest.mark.parametrize("kind", [*STEP_TYPES, "Nonsense"])
def test_no_value_of_a_member_is_a_crash(kind: str) -> None:
    whole = [{"Name": "Step", "Type": kind, member: value} for member in MEMBERS for value in VALUES]
    inner = [
        {"Name": "Step", "Type": kind, "Arguments": {member: value}} for member in IN_CONDITIONS for value in VALUES
    ]
    for step in (*whole, *inner):
        assert isinstance(refusal(json.dumps({"Steps": [step, {**step, "DependsOn": ["Step"]}]})), str)
