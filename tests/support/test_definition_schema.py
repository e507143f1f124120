"""The generated schema alone: the definitions that it accepts, and those that it refuses, with the place."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pedigree.language import shapes
from tests.support import definition_schema
from tests.support.definitions import define

SCHEMA = definition_schema.generate()
VALIDATOR = Draft202012Validator(SCHEMA)
Change = Callable[[dict[str, Any]], object]


def test_it_is_a_schema_of_the_draft_that_it_names() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"].endswith("2020-12/schema")


def test_our_definition_is_valid() -> None:
    assert not list(VALIDATOR.iter_errors(define()))


@pytest.mark.parametrize("step_type", sorted(shapes.OPERATIONS))
def test_a_request_has_the_members_of_botocores_shape(step_type: str) -> None:
    shape = shapes.request_shape(step_type)
    assert shape is not None
    assert set(SCHEMA["$defs"][shape.name]["properties"]) == set(shape.members)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda document: document.pop("Steps"), "$"),
        (lambda document: document.update(Version="2021-01-01"), "$.Version"),
        (lambda document: document.update(Stages=[]), "$"),
        (
            lambda document: document["Parameters"].extend({"Name": f"P{n}", "Type": "String"} for n in range(200)),
            "$.Parameters",
        ),
        (lambda document: document["Parameters"][0].update(Type="Text"), "$.Parameters[0].Type"),
        (lambda document: document["Parameters"][0].update(DefaultValue=3), "$.Parameters[0].DefaultValue"),
        (lambda document: document["Parameters"][3].update(EnumValues=["1"]), "$.Parameters[3]"),
        (lambda document: document["Steps"][0].update(Name="x" * 65), "$.Steps[0].Name"),
        (lambda document: document["Steps"][0].update(Type="Procesing"), "$.Steps[0].Type"),
        (lambda document: document["Steps"][0].update(FunctionArn="arn"), "$.Steps[0]"),
        (lambda document: document["Steps"][0]["CacheConfig"].pop("Enabled"), "$.Steps[0].CacheConfig"),
        (lambda document: document["Steps"][0]["Arguments"].update(Environment=[]), "$.Steps[0].Arguments.Environment"),
        (
            lambda document: document["Steps"][0]["Arguments"]["StoppingCondition"].update(MaxRuntimeInSeconds=0),
            "$.Steps[0].Arguments.StoppingCondition.MaxRuntimeInSeconds",
        ),
        (lambda document: document["Steps"][5]["Arguments"]["Conditions"].clear(), "$.Steps[5].Arguments.Conditions"),
        (
            lambda document: document["Steps"][5]["Arguments"]["ElseSteps"].append(copy.deepcopy(document["Steps"][5])),
            "$.Steps[5].Arguments.ElseSteps[1]",
        ),
    ],
)
def test_what_it_refuses(change: Change, place: str) -> None:
    document = copy.deepcopy(define())
    change(document)
    assert place in [error.json_path for error in VALIDATOR.iter_errors(document)]


@pytest.mark.parametrize(
    "expression",
    [
        {"Get": "Parameters.Epochs"},
        {"Get": "Steps.Tune.TrainingJobSummaries[0].TrainingJobName"},
        {"Std:Join": {"On": "", "Values": ["a", 1, {"Get": "Execution.PipelineName"}]}},
        {"Std:JsonGet": {"S3Uri": {"Get": "Parameters.InputDataUrl"}, "Path": "a[0].b"}},
    ],
)
def test_an_expression_may_stand_for_any_value(expression: Any) -> None:
    document = copy.deepcopy(define())
    document["Steps"][0]["Arguments"]["StoppingCondition"]["MaxRuntimeInSeconds"] = expression
    document["Steps"][0]["Arguments"]["RoleArn"] = expression
    assert not list(VALIDATOR.iter_errors(document))
