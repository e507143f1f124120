"""Reading definitions of any origin: parameters, steps in branches, declared outputs. Malformed ones are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pedigree.language.definition import Dependency, PropertyFile, parse, read
from pedigree.language.errors import DefinitionError
from tests.support.definitions import define


def definition(*steps: dict[str, Any], parameters: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"Version": "2020-12-01", "Parameters": parameters or [], "Steps": list(steps)}


def fail(name: str, **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": "no"}, **more}


def test_steps_in_branches_are_steps() -> None:
    names = [step.name for step in read(define()).all_steps()]
    assert names.index("QualityGate") < names.index("RegisterModel")
    assert read(define()).by_name()["QualityTooLow"].branch_path == (("QualityGate", False),)


def test_declared_outputs_and_files_are_read() -> None:
    steps = read(define()).by_name()
    assert steps["DeployEndpoint"].outputs["outcome"] == "String"
    assert steps["Evaluate"].property_files == (PropertyFile("Evaluation", "evaluation", "evaluation.json"),)


def test_dependencies_have_triggers() -> None:
    step = fail("B", DependsOn=["A", {"Step": "C", "Trigger": "Failed"}])
    assert read(definition(step)).steps[0].depends_on == (Dependency("A"), Dependency("C", "Failed"))


@pytest.mark.parametrize(
    ("document", "cause"),
    [
        ([], "the document is not an object"),
        ({}, "has no Steps"),
        (definition({"Type": "Fail"}), "/Steps/0 has no Name"),
        (definition({"Name": "A"}), "/Steps/0 has no Type"),
        (definition(fail("A"), fail("A")), "several steps are named A"),
        (definition({"Name": "A", "Type": "Fail", "Arguments": []}), "/Steps/0/Arguments is not an object"),
        (definition(parameters=[{"Name": "A", "Type": "Text"}]), "write one of String, Integer"),
        (definition(parameters=[{"Name": "A", "Type": "String"}] * 2), "several parameters are named A"),
        (definition({"Name": "A", "Type": "Condition", "Arguments": {"IfSteps": {}}}), "IfSteps is not a list"),
        (
            definition({"Name": "A", "Type": "Condition", "Arguments": {"IfSteps": [fail("A")]}}),
            "several steps are named A",
        ),
    ],
)
def test_a_malformed_definition_is_refused(document: Any, cause: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse(json.dumps(document))
    assert cause in str(caught.value)


def test_text_that_is_not_json_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"not JSON: .*line 1"):
        parse('{"Steps": [')
