"""Cases of the rules about structure, references, types, parameters and limits."""

from __future__ import annotations

from typing import Any

from tests.pedigree.checks.case import Case, value_case
from tests.pedigree.checks.small import GONE, get, job, own, parameter, processing, retries, text

URI = "InputDataConfig.0.DataSource.S3DataSource.S3Uri"
BEST = "Steps.Tune.BestTrainingJob.TunedHyperParameters"
LATE = {"Name": "Late", "Type": "Fail", "Arguments": {"ErrorMessage": "late"}}
INNER = {
    "Name": "Inner",
    "Type": "Condition",
    "Arguments": {
        "Conditions": [{"Type": "Equals", "LeftValue": get("Parameters.Endpoint"), "RightValue": "dogs"}],
        "IfSteps": [LATE],
        "ElseSteps": [],
    },
}
MANY = [parameter(f"P{number}", "Integer", 1) for number in range(201)]
USED = {f"v{number}": text(f"Parameters.P{number}") for number in range(201)}
CACHE = {"Enabled": True, "ExpireAfter": "P1D"}
MORE = ((".Parameters.5", parameter("More", "Integer", 1)), ("Deploy.Arguments.x", get("Parameters.More")))
UNTYPED = ((".Parameters.5", {"Name": "More", "DefaultValue": "some"}), MORE[1])
SIDE = (".Steps.5", processing("Side", {}, ["side"]))


def told(path: str) -> dict[str, Any]:
    """A step that tells a value."""
    return {**LATE, "Arguments": {"ErrorMessage": get(path)}}


def side_input() -> dict[str, Any]:
    """What a step called Side writes, named by its address and not by a reference."""
    found = processing("Reader", {"side": own("Side", "side")}, [])["Arguments"]["ProcessingInputs"][0]
    return dict(found)


def two_outputs(first: str, second: str) -> dict[str, Any]:
    """A step whose outputs go to two addresses of the execution's own."""
    step = processing("Two", {}, ["first", "second"])
    for output, name in zip(step["Arguments"]["ProcessingOutputConfig"]["Outputs"], (first, second), strict=True):
        output["S3Output"]["S3Uri"] = own("Two", name)
    return step


RANGES = {"CategoricalParameterRanges": [{"Name": "batch", "Values": ["32", "64"]}]}
DEFINITION = {
    **job("Tune"),
    "DefinitionName": "one",
    "TuningObjective": {"MetricName": "loss", "Type": "Minimize"},
    "HyperParameterRanges": RANGES,
    "StaticHyperParameters": {"sagemaker_program": "train.py"},
}
OVERALL = "Steps.Tune.OverallBestTrainingJob.TunedHyperParameters"
SEVERAL = (
    ("Tune.Arguments.TrainingJobDefinition", GONE),
    ("Tune.Arguments.TrainingJobDefinitions", [DEFINITION]),
    ("Tune.Arguments.HyperParameterTuningJobConfig.ParameterRanges", GONE),
    ("Tune.Arguments.HyperParameterTuningJobConfig.HyperParameterTuningJobObjective", GONE),
    ("Train.Arguments.HyperParameters.lr", "0.1"),
    ("Train.Arguments.HyperParameters.batch", get(f"{OVERALL}['batch']")),
)

STRUCTURE = (
    Case("STR001", ".Parameters.5.Type", ((".Parameters.5", {"Name": "Odd", "Type": "Text"}),), UNTYPED),
    value_case("STR002", ".Steps.5", {**LATE, "Name": "Train"}, LATE, ".Steps.5.Name"),
    Case("STR003", ".Parameters.5.Name", ((".Parameters.5", parameter("Epochs", "Integer", 5)),), MORE),
    value_case("STR004", ".Steps.5", {**LATE, "Type": "Failed"}, LATE, ".Steps.5.Type"),
    value_case("STR005", ".Version", "2020-12-02", "2020-12-01"),
    value_case("STR006", ".Steps.5", {**LATE, "Name": "too late"}, {**LATE, "Name": "too_late-1"}, ".Steps.5.Name"),
    Case("STR007", "Train.Descripton", (("Train.Descripton", "It trains."),), (("Train.Description", "It trains."),)),
    Case("STR008", ".Steps", ((".Steps", []), (".Parameters", [])), ((".Steps", [LATE]), (".Parameters", []))),
    value_case("STR009", "Stop.Arguments.ErrorMessage", GONE, "", "Stop.Arguments"),
    Case("STR010", "Gate.Arguments.IfSteps.3", (("Gate.Arguments.IfSteps.3", INNER),), ((".Steps.5", INNER),)),
    value_case("STR011", "Gate.Arguments.Conditions.0.Type", "AtLeast", "GreaterThan", "Gate.Arguments.Conditions.0"),
    Case(
        "STR012",
        "Gate.Arguments.Conditions.1",
        (("Gate.Arguments.Conditions.1", {"Type": "Equals", "LeftValue": 1, "RightValue": 1}),),
        (("Gate.Arguments.Conditions.1", {"Type": "Equals", "LeftValue": 1, "RightValue": get("Parameters.Epochs")}),),
    ),
    Case(
        "STR013",
        ".Steps.5",
        ((".Steps.5", {**INNER, "Arguments": {**INNER["Arguments"], "IfSteps": []}}),),  # type: ignore[dict-item]
        ((".Steps.5", INNER),),
    ),
    value_case(
        "STR014",
        ".Steps.5",
        {**processing("Drift", {}, ["drift"]), "Type": "QualityCheck"},
        processing("Drift", {}, ["drift"]),
    ),
    Case(
        "STR015",
        ".Steps.6.DependsOn.0",
        ((".Steps.5", LATE), (".Steps.6", {**LATE, "Name": "Later", "DependsOn": ["Late"]})),
        ((".Steps.5", LATE), (".Steps.6", {**LATE, "Name": "Later", "DependsOn": ["Train"]})),
    ),
)
REFERENCES = (
    value_case("REF001", "Deploy.Arguments.x", get("Parameters.Endpont"), get("Parameters.Endpoint")),
    value_case("REF002", "Train.DependsOn", ["Tuen"], ["Tune"], "Train.DependsOn.0"),
    value_case("REF003", "Deploy.Arguments.x", get("Steps.Train.TrainingJob"), get("Steps.Train.TrainingJobName")),
    value_case("REF004", "Deploy.Arguments.x", get("Execution.Pipeline"), get("Execution.PipelineName")),
    Case(
        "REF005",
        "Gate.Arguments.Conditions.0",
        (("Evaluate.PropertyFiles.0.PropertyFileName", "Score"),),
        (("Evaluate.PropertyFiles.0.FilePath", "score.json"),),
    ),
    value_case("REF006", "Evaluate.PropertyFiles.0.OutputName", "score", "scores"),
    value_case(
        "REF007",
        "Wait.Arguments.outcome",
        get("Steps.Deploy.OutputParameters['result']"),
        get("Steps.Deploy.OutputParameters['outcome']"),
    ),
    value_case("REF008", "Train.Arguments.HyperParameters.x", get(f"{BEST}['epochs']"), get(f"{BEST}['lr']")),
    value_case(
        "REF009",
        f"Train.Arguments.{URI}",
        get("Steps.Prepare.ProcessingOutputConfig.Outputs['trian'].S3Output.S3Uri"),
        get("Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"),
    ),
    value_case("REF010", "Stop.DependsOn", ["Register"], ["Train"], "Stop.DependsOn.0"),
    value_case("REF011", "Prepare.DependsOn", ["Train"], [], "Prepare"),
    value_case("REF012", "Stop.Arguments.ErrorMessage", get("Parameter.Epochs"), get("Execution.PipelineName")),
    Case(
        "REF013",
        "Evaluate.Arguments.ProcessingInputs.2.S3Input.S3Uri",
        (SIDE, ("Evaluate.Arguments.ProcessingInputs.2", side_input()), ("Evaluate.DependsOn", [])),
        (SIDE, ("Evaluate.Arguments.ProcessingInputs.2", side_input()), ("Evaluate.DependsOn", ["Side"])),
    ),
    Case(
        "REF014",
        "Stop.Arguments.ErrorMessage",
        (*SEVERAL, ("Stop.Arguments.ErrorMessage", get("Steps.Tune.BestTrainingJob.TrainingJobName"))),
        (*SEVERAL, ("Stop.Arguments.ErrorMessage", get("Steps.Tune.OverallBestTrainingJob.TrainingJobName"))),
    ),
    Case("REF015", ".Parameters.5", MORE[:1], MORE),
    Case(
        "REF016",
        ".Steps.5.Arguments.ProcessingOutputConfig.Outputs.1.S3Output.S3Uri",
        ((".Steps.5", two_outputs("side", "side")),),
        ((".Steps.5", two_outputs("side", "other")),),
    ),
    Case(
        "REF017",
        "Late.Arguments.ErrorMessage",
        ((".Steps.5", told("Steps.Register.ModelPackageArn")),),
        (("Gate.Arguments.IfSteps.3", told("Steps.Register.ModelPackageArn")),),
    ),
)
TYPES = (
    value_case("TYP001", "Train.Arguments.ResourceConfig.InstanceCount", "1", 1),
    value_case("TYP002", "Train.Arguments.HyperParameters.epochs", get("Parameters.Epochs"), text("Parameters.Epochs")),
    value_case("TYP003", "Gate.Arguments.Conditions.0.LeftValue", "0.7", 0.7, "Gate.Arguments.Conditions.0"),
    value_case("TYP004", ".Parameters.0.DefaultValue", "5", 5),
    value_case("TYP005", ".Parameters.2.DefaultValue", "ml.g5.4xlarge", "ml.g5.2xlarge"),
    value_case("TYP006", ".Parameters.2.EnumValues.2", "ml.g5.xlarge", "ml.g5.4xlarge"),
    Case(
        "TYP007",
        ".Parameters.0.DefaultValue",
        (
            ("Train.Arguments.ResourceConfig.InstanceCount", get("Parameters.Epochs")),
            (".Parameters.0.DefaultValue", -1),
        ),
        (("Prepare.Arguments.StoppingCondition.MaxRuntimeInSeconds", get("Parameters.Epochs")),),
    ),
    value_case("TYP008", "Deploy.Arguments.subnets", ["a"], '["a"]'),
    value_case("TYP010", "Wait.SqsQueueUrl", get("Parameters.Epochs"), get("Parameters.Endpoint")),
    value_case("TYP009", "Deploy.OutputParameters.0.OutputType", "List", "String"),
)
LIMITS = (
    Case(
        "LIM001",
        "Train.Arguments.AlgorithmSpecification",
        (("Train.Arguments.AlgorithmSpecification.TrainingInputMode", GONE),),
        (("Train.Arguments.RoleArn", GONE), ("Tune.Arguments.TrainingJobDefinition.RoleArn", GONE)),
    ),
    Case(
        "LIM002",
        "Train.Arguments.Environments",
        (("Train.Arguments.Environments", {"A": "b"}),),
        (("Train.Arguments.Environment", {"A": "b"}),),
    ),
    value_case("LIM003", "Prepare.Arguments.Environment.LONG", "x" * 5000, "x" * 200),
    value_case("LIM004", "Train.Arguments.StoppingCondition.MaxRuntimeInSeconds", 0, 1),
    Case(
        "LIM005",
        "Prepare.Arguments.Environment",
        (("Prepare.Arguments.Environment", {f"V{number}": "1" for number in range(101)}),),
        (("Prepare.Arguments.Environment", {f"V{number}": "1" for number in range(100)}),),
    ),
    value_case("LIM006", "Register.Arguments.ModelPackageGroupName", "dog_breeds", "dog-breeds"),
    value_case("LIM007", "Train.Arguments.AlgorithmSpecification.TrainingInputMode", "file", "Pipe"),
    Case(
        "LIM008",
        "",
        (("Stop.Arguments.ErrorMessage", "x" * 1_048_576),),
        (("Stop.Arguments.ErrorMessage", "x" * 1_000_000),),
    ),
    Case(
        "LIM009",
        ".Parameters",
        ((".Parameters", MANY), (".Steps", [{**LATE, "Type": "Callback", "SqsQueueUrl": "q", "Arguments": USED}])),
        ((".Parameters", MANY[:1]), (".Steps", [{**LATE, "Arguments": {"ErrorMessage": USED["v0"]}}])),
    ),
    value_case("LIM010", ".Parameters.3.DefaultValue", "x" * 4097, "x" * 4096),
    value_case(
        "LIM011",
        "Evaluate.Arguments.ProcessingResources.ClusterConfig.InstanceType",
        "ml.m5.huge",
        "ml.m5.4xlarge",
    ),
    value_case("LIM020", "Tune.RetryPolicies.0.MaxAttempts", 21, 20),
    value_case("LIM021", "Prepare.CacheConfig.ExpireAfter", "30 days", "P30D"),
    value_case(
        "LIM022",
        "Wait.OutputParameters.1",
        {"OutputName": "state", "OutputType": "String"},
        {"OutputName": "more", "OutputType": "String"},
        "Wait.OutputParameters.1.OutputName",
    ),
    value_case("DEP001", "Deploy.RetryPolicies", retries(), []),
    Case("CST001", "Register.CacheConfig", (("Register.CacheConfig", CACHE),), (("Deploy.CacheConfig", CACHE),)),
)
CASES = (*STRUCTURE, *REFERENCES, *TYPES, *LIMITS)
