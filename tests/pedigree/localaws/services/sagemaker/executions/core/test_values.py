"""The values of expressions in an execution."""

from __future__ import annotations

from typing import Any

import pytest

from pedigree.language.definition import Step, read
from pedigree.localaws.services.sagemaker.executions.core.errors import ValueMissingError
from pedigree.localaws.services.sagemaker.executions.core.values import Resolver

FILES = {"s3://bucket/e.json": {"metrics": {"accuracy": {"value": 0.91}}, "list": [{"a b": 7}]}}
RESOLVER = Resolver(
    parameters={"Epochs": 3, "Rate": 0.5, "Name": "x"},
    execution={"PipelineName": "dogs"},
    described={
        "Train": {
            "ModelArtifacts": {"S3ModelArtifacts": "s3://bucket/model.tar.gz"},
            "InputDataConfig": [{"ChannelName": "train", "InputMode": "File"}, {"ChannelName": "dataset"}],
        },
        "Tune": {
            "BestTrainingJob": {"TunedHyperParameters": {"learning_rate": "0.01"}},
            "TrainingJobSummaries": [{"TrainingJobName": "best"}],
        },
        "Prepare": {
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "train", "S3Output": {"S3Uri": "s3://b/t"}}]}
        },
        "Call": {"OutputParameters": {"out": True}},
    },
    property_file=lambda step, name: "s3://bucket/e.json" if (step, name) == ("Evaluate", "Report") else None,
    read_json=FILES.__getitem__,
)


def get(path: str) -> dict[str, str]:
    return {"Get": path}


@pytest.mark.parametrize(
    ("written", "worth"),
    [
        (get("Parameters.Epochs"), 3),
        (get("Execution.PipelineName"), "dogs"),
        (get("Steps.Train.ModelArtifacts.S3ModelArtifacts"), "s3://bucket/model.tar.gz"),
        (get("Steps.Train.InputDataConfig['dataset'].ChannelName"), "dataset"),
        (get("Steps.Train.InputDataConfig[0].InputMode"), "File"),
        (get("Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"), "s3://b/t"),
        (get("Steps.Tune.BestTrainingJob.TunedHyperParameters['learning_rate']"), "0.01"),
        (get("Steps.Tune.TrainingJobSummaries[0].TrainingJobName"), "best"),
        (get("Steps.Call.OutputParameters['out']"), True),
        ({"Std:Join": {"On": "/", "Values": ["a", get("Parameters.Epochs"), get("Parameters.Rate")]}}, "a/3/0.5"),
        (
            {
                "Std:JsonGet": {
                    "PropertyFile": get("Steps.Evaluate.PropertyFiles.Report"),
                    "Path": "metrics.accuracy.value",
                }
            },
            0.91,
        ),
        ({"Std:JsonGet": {"S3Uri": "s3://bucket/e.json", "Path": "list[0]['a b']"}}, 7),
        ({"a": [get("Parameters.Name"), 1, None]}, {"a": ["x", 1, None]}),
    ],
)
def test_an_expression_is_worth_what_it_refers_to(written: Any, worth: Any) -> None:
    assert RESOLVER.resolve(written) == worth


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (get("Parameters.Unknown"), "parameter Unknown has neither"),
        (get("Execution.TrainingJobName"), "Execution.TrainingJobName is not known"),
        (get("Steps.Other.Name"), "step Other has not run"),
        (get("Steps.Train.ModelArtifacts.Nothing"), "step Train has no ModelArtifacts.Nothing"),
        (get("Steps.Train.InputDataConfig['test'].ChannelName"), "step Train has no InputDataConfig.['test']"),
        (get("Steps.Train.InputDataConfig[7]"), r"step Train has no InputDataConfig.[7]"),
        (
            {"Std:JsonGet": {"S3Uri": "s3://bucket/e.json", "Path": "metrics.f1"}},
            "s3://bucket/e.json has no metrics.f1",
        ),
        (
            {"Std:JsonGet": {"PropertyFile": get("Steps.Evaluate.PropertyFiles.Other"), "Path": "a"}},
            "step Evaluate has no property file Other",
        ),
    ],
)
def test_an_expression_that_leads_nowhere_is_an_error(written: Any, message: str) -> None:
    with pytest.raises(ValueMissingError) as raised:
        RESOLVER.resolve(written)
    assert message in str(raised.value)


def condition(*conditions: dict[str, Any]) -> Step:
    arguments = {"Conditions": list(conditions), "IfSteps": [], "ElseSteps": []}
    return read({"Steps": [{"Name": "C", "Type": "Condition", "Arguments": arguments}]}).steps[0]


def compare(kind: str, left: Any, right: Any) -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


@pytest.mark.parametrize(
    ("written", "holds"),
    [
        ([compare("Equals", get("Parameters.Epochs"), 3)], True),
        ([compare("Equals", get("Parameters.Name"), 3)], False),
        ([compare("GreaterThan", 2, 2)], False),
        ([compare("GreaterThanOrEqualTo", 2, 2.0)], True),
        ([compare("LessThan", 1, 2), compare("LessThan", 2, 1)], False),
        ([compare("LessThanOrEqualTo", "a", "b")], True),
        ([{"Type": "In", "QueryValue": get("Parameters.Name"), "Values": ["y", get("Parameters.Name")]}], True),
        ([{"Type": "Not", "Condition": compare("Equals", 1, 1)}], False),
        ([{"Type": "Or", "Conditions": [compare("Equals", 1, 2), compare("Equals", 1, 1)]}], True),
        ([{"Type": "Or", "Conditions": []}], False),
        ([], True),
    ],
)
def test_all_conditions_of_a_step_must_hold(written: list[dict[str, Any]], holds: bool) -> None:
    assert RESOLVER.holds(condition(*written)) is holds


def test_a_number_is_neither_more_nor_less_than_text() -> None:
    with pytest.raises(ValueMissingError, match="both must be numbers, or both text"):
        RESOLVER.holds(condition(compare("GreaterThan", "0.9", 0.5)))
