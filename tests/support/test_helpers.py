"""The helpers find what is wrong: each way of breaking a sound definition is reported, with its place."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.definitions import assert_sound, define

Document = dict[str, Any]


def named(document: Document, name: str) -> Document:
    """A step, to be changed in place."""
    steps = [*document["Steps"]]
    while steps:
        step: Document = steps.pop()
        if step["Name"] == name:
            return step
        steps += step["Arguments"].get("IfSteps", []) + step["Arguments"].get("ElseSteps", [])
    raise LookupError(name)


def request(document: Document, name: str) -> Document:
    found: Document = named(document, name)["Arguments"]
    return found


def rename_parameter(document: Document) -> None:
    document["Parameters"][0]["Name"] = "InputDataUri"


def add_parameter(document: Document) -> None:
    document["Parameters"].append({"Name": "Unused", "Type": "String", "DefaultValue": "x"})


def wrong_default(document: Document) -> None:
    document["Parameters"][2]["DefaultValue"] = "ml.g4dn.tiny"


def integer_as_text(document: Document) -> None:
    request(document, "TrainBest")["HyperParameters"]["epochs"] = {"Get": "Parameters.Epochs"}


def text_as_integer(document: Document) -> None:
    request(document, "TrainBest")["ResourceConfig"]["InstanceCount"] = {"Get": "Parameters.TrainingInstanceType"}


def unknown_member(document: Document) -> None:
    request(document, "TrainBest")["HyperParameter"] = {}


def missing_member(document: Document) -> None:
    del request(document, "Evaluate")["RoleArn"]


def too_small(document: Document) -> None:
    request(document, "PrepareData")["StoppingCondition"]["MaxRuntimeInSeconds"] = 0


def missing_step(document: Document) -> None:
    request(document, "TrainBest")["HyperParameters"]["x"] = {"Get": "Steps.Tuen.BestTrainingJob.TrainingJobName"}


def missing_path(document: Document) -> None:
    request(document, "TrainBest")["HyperParameters"]["x"] = {"Get": "Steps.Tune.BestTrainingJobs.TrainingJobName"}


def missing_output(document: Document) -> None:
    request(document, "AwaitEndpoint")["x"] = {"Get": "Steps.DeployEndpoint.OutputParameters['endpoint']"}


def missing_property_file(document: Document) -> None:
    named(document, "Evaluate")["PropertyFiles"] = []


def missing_processing_output(document: Document) -> None:
    named(document, "Evaluate")["PropertyFiles"][0]["OutputName"] = "evaluations"


def list_as_structure(document: Document) -> None:
    request(document, "AwaitEndpoint")["x"] = {"Get": "Steps.Evaluate.ProcessingOutputConfig.Outputs.S3Output"}


def text_entered(document: Document) -> None:
    request(document, "AwaitEndpoint")["x"] = {"Get": "Steps.Evaluate.ProcessingJobArn['x']"}


def undeclared_kind(document: Document) -> None:
    request(document, "AwaitEndpoint")["x"] = {"Get": "Steps.DeployEndpoint.EndpointName"}


def nothing_described(document: Document) -> None:
    request(document, "AwaitEndpoint")["x"] = {"Get": "Steps.QualityTooLow.ErrorMessage"}


def unknown_variable(document: Document) -> None:
    request(document, "DeployEndpoint")["x"] = {"Get": "Execution.PipelineId"}


def cycle(document: Document) -> None:
    named(document, "Tune")["DependsOn"] = ["Evaluate"]


def two_limits(document: Document) -> None:
    named(document, "PrepareData")["RetryPolicies"][0]["ExpireAfterMin"] = 5


def no_queue(document: Document) -> None:
    del named(document, "AwaitEndpoint")["SqsQueueUrl"]


def unknown_condition(document: Document) -> None:
    request(document, "QualityGate")["Conditions"][0]["Type"] = "AtLeast"


def unknown_dependency(document: Document) -> None:
    named(document, "Tune")["DependsOn"] = ["PrepareDate"]


def unknown_channel(document: Document) -> None:
    path = "Steps.PrepareData.ProcessingOutputConfig.Outputs['trian'].S3Output.S3Uri"
    request(document, "TrainBest")["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = {"Get": path}


def untuned_value(document: Document) -> None:
    path = "Steps.Tune.BestTrainingJob.TunedHyperParameters['dropout']"
    request(document, "TrainBest")["HyperParameters"]["dropout"] = {"Get": path}


def summary_beyond_the_last(document: Document) -> None:
    path = "Steps.Tune.TrainingJobSummaries[99].TrainingJobName"
    request(document, "TrainBest")["HyperParameters"]["x"] = {"Get": path}


def default_of_another_type(document: Document) -> None:
    named_parameter(document, "Epochs")["DefaultValue"] = "50"


def default_beside_the_choices(document: Document) -> None:
    named_parameter(document, "ModelApprovalStatus")["DefaultValue"] = "Maybe"


def named_parameter(document: Document, name: str) -> Document:
    found: Document = next(parameter for parameter in document["Parameters"] if parameter["Name"] == name)
    return found


def retries_of_a_function(document: Document) -> None:
    named(document, "DeployEndpoint")["RetryPolicies"] = named(document, "Tune")["RetryPolicies"]


def lifetime_in_words(document: Document) -> None:
    named(document, "Tune")["CacheConfig"]["ExpireAfter"] = "30 days"


def failure_without_words(document: Document) -> None:
    request(document, "QualityTooLow").clear()


def empty_name(document: Document) -> None:
    document["Parameters"][0]["Name"] = "Input Data Url"


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (rename_parameter, "there is no parameter InputDataUrl; did you mean InputDataUri?"),
        (add_parameter, "parameter Unused reaches no step"),
        (wrong_default, "'ml.g4dn.tiny' is not valid"),
        (integer_as_text, "TrainBest: HyperParameters.epochs takes String and is given Integer"),
        (text_as_integer, "TrainBest: ResourceConfig.InstanceCount takes Integer and is given String"),
        (unknown_member, "has no member HyperParameter; remove it"),
        (missing_member, "RoleArn"),
        (too_small, "MaxRuntimeInSeconds"),
        (missing_step, "there is no step Tuen; did you mean Tune?"),
        (missing_path, "has no BestTrainingJobs; did you mean BestTrainingJob?"),
        (missing_output, "there is no declared output of DeployEndpoint endpoint"),
        (missing_property_file, "there is no property file of Evaluate Evaluation"),
        (missing_processing_output, "there is no output of Evaluate evaluations; did you mean evaluation?"),
        (list_as_structure, "is a list, so .S3Output leads nowhere in it"),
        (text_entered, "is a string, so ['x'] leads nowhere in it"),
        (undeclared_kind, "DeployEndpoint has OutputParameters['…'] only"),
        (nothing_described, "a Fail step has no values to refer to"),
        (unknown_variable, "there is no execution variable PipelineId"),
        (cycle, "Tune waits for itself"),
        (two_limits, "RetryPolicies[0]"),
        (no_queue, "'SqsQueueUrl' is a required property"),
        (unknown_condition, "Conditions[0]"),
        (unknown_dependency, "there is no step PrepareDate; did you mean PrepareData?"),
        (unknown_channel, "PrepareData has no OutputName trian; did you mean train?"),
        (untuned_value, "Tune tunes no hyperparameter dropout"),
        (summary_beyond_the_last, "TrainingJobSummaries go from [0], the best, to [49], and not to [99]"),
        (default_of_another_type, "parameter Epochs does not accept its own default '50'"),
        (default_beside_the_choices, "parameter ModelApprovalStatus does not accept its own default 'Maybe'"),
        (retries_of_a_function, "does not allow [{'BackoffRate'"),
        (lifetime_in_words, "'30 days' does not match"),
        (failure_without_words, "'ErrorMessage' is a required property"),
        (empty_name, "'Input Data Url' does not match"),
    ],
    ids=lambda change: getattr(change, "__name__", ""),
)
def test_a_broken_definition_is_reported(broken: Callable[[Document], None], message: str) -> None:
    document = copy.deepcopy(define())
    assert_sound(document)
    broken(document)
    with pytest.raises(AssertionError) as caught:
        assert_sound(document)
    assert message in str(caught.value)
