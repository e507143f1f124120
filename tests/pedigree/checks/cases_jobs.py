"""Cases of the rules about searches, metrics, scripts, data, containers and machines."""

from __future__ import annotations

from pedigree.checks.evidence import Evidence
from tests.pedigree.checks.case import Case, value_case
from tests.pedigree.checks.small import GONE, LOSS, REGISTRY, get, own

CONFIG = "Tune.Arguments.HyperParameterTuningJobConfig"
LR = f"{CONFIG}.ParameterRanges.ContinuousParameterRanges.0"
BATCH = f"{CONFIG}.ParameterRanges.CategoricalParameterRanges.0"
FIXED = "Tune.Arguments.TrainingJobDefinition.StaticHyperParameters"
METRICS = "Train.Arguments.AlgorithmSpecification.MetricDefinitions"
IMAGE = "Train.Arguments.AlgorithmSpecification.TrainingImage"
GIVEN = "Train.Arguments.HyperParameters"
RESOURCES = "Train.Arguments.ResourceConfig"
LIMIT = "Train.Arguments.StoppingCondition"
MACHINE = f"{RESOURCES}.InstanceType"
READ = "Evaluate.Arguments.ProcessingInputs"
WRITTEN = "Evaluate.Arguments.ProcessingOutputConfig.Outputs"
EVALUATION = "Evaluate.Arguments.ProcessingResources.ClusterConfig.InstanceType"
OLD = f"{REGISTRY}/pytorch-training:2.5.1-gpu-py311"
OLDEST = f"{REGISTRY}/pytorch-training:2.0.1-gpu-py310"
SMDDP = "sagemaker_distributed_dataparallel_enabled"
TORCHRUN = "sagemaker_torch_distributed_enabled"
HOOK = {"S3OutputPath": "s3://work/debug"}
POINTS = {"S3Uri": own("checkpoints")}
SCRIPT = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int)
parser.add_argument("--lr", type=float, required=True)
parser.add_argument("--batch", choices=["32", "64"])
parser.add_argument("--optimizer", choices=["sgd", "adam"])
options = parser.parse_args()
print(f"epoch {options.epochs}: loss={1 / 3};")
"""


def scripted(code: str, place: str, wrong: object, near: object, *, script: str = SCRIPT, put: str = "") -> Case:
    evidence = Evidence(scripts={"train.py": script, "inference.py": ""})
    return Case(code, place, ((put or place, wrong),), ((put or place, near),), evidence)


SEARCHES = (
    value_case("LIM012", f"{LR}.MinValue", "0.2", "0.01"),
    Case(
        "LIM013",
        f"{LR}.ScalingType",
        ((f"{LR}.MinValue", "0"),),
        ((f"{LR}.MinValue", "0"), (f"{LR}.ScalingType", "Linear")),
    ),
    Case("LIM014", f"{FIXED}.lr", ((f"{FIXED}.lr", "0.1"),), ((f"{FIXED}.momentum", "0.9"),)),
    Case("LIM015", LR, ((f"{CONFIG}.Strategy", "Grid"),), ((f"{CONFIG}.Strategy", "Random"),)),
    value_case("LIM016", f"{CONFIG}.ResourceLimits.MaxParallelTrainingJobs", 5, 4),
    value_case("LIM017", f"{LR}.MinValue", "small", "1e-3"),
    Case(
        "LIM018",
        CONFIG,
        ((f"{CONFIG}.ParameterRanges", {}), (f"{GIVEN}.lr", "1"), (f"{GIVEN}.batch", "1")),
        (("Tune.Arguments.Autotune", {"Mode": "Enabled"}),),
    ),
    value_case("SCR011", f"{BATCH}.Values", ['"32"', "64"], ['"32"', '"64"']),
)
SCRIPTS = (
    value_case("SCR001", f"{METRICS}.0.Regex", "loss=(", LOSS),
    value_case("SCR002", f"{METRICS}.0.Regex", "loss=([0-9.]+|nan|inf)", "loss=([0-9.e+-]+|nan|inf)"),
    value_case("SCR003", f"{METRICS}.0.Regex", "loss=([0-9.e+-]+)", r"loss=(\S+)"),
    scripted("SCR005", f"{METRICS}.0.Regex", LOSS.replace("loss", "error"), LOSS),
    scripted("SCR006", f"{GIVEN}.optimiser", "sgd", GONE),
    scripted("SCR007", GIVEN, GONE, get("Steps.Tune.BestTrainingJob.TunedHyperParameters['lr']"), put=f"{GIVEN}.lr"),
    scripted("SCR008", f"{GIVEN}.optimizer", "lion", "adam"),
    scripted("SCR009", f"{GIVEN}.sagemaker_program", "trian.py", "train.py"),
    value_case(
        "SCR010",
        f"{METRICS}.1",
        {"Name": "loss", "Regex": LOSS},
        {"Name": "other", "Regex": LOSS},
        f"{METRICS}.1.Name",
    ),
    value_case(
        "SCR012",
        "Evaluate.Arguments.ProcessingInputs.0.S3Input.S3Uri",
        get("Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"),
        get("Steps.Prepare.ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri"),
    ),
    value_case("SCR015", ".Parameters.4.DefaultValue", "s3://data/old/../dogs/", "s3://data/dogs..old/"),
    value_case("SCR016", f"{GIVEN}.sagemaker_program", GONE, "train.py", GIVEN),
    Case(
        "SCR019",
        f"{READ}.0.S3Input.LocalPath",
        ((f"{READ}.0.S3Input.LocalPath", "data/test"), (f"{WRITTEN}.0.S3Output.LocalPath", "scores")),
        ((f"{READ}.0.S3Input.LocalPath", "/opt/ml/processing/a/b"), (f"{WRITTEN}.0.S3Output.LocalPath", "/scores")),
    ),
    value_case("SCR020", f"{READ}.1.S3Input.LocalPath", "/opt/ml/processing/test/", "/opt/ml/processing/test/model"),
    value_case("SCR021", f"{READ}.0.S3Input.S3Uri", "s3://data-<account>/test", "s3://data-123456789012/<account>"),
    Case(
        "SCR013",
        "Evaluate.Arguments.ProcessingInputs.0.S3Input.S3Uri",
        (
            ("Evaluate.Arguments.ProcessingInputs.0.S3Input.S3Uri", "s3://data/test"),
            (".Parameters.4.DefaultValue", "s3://data/test_old"),
        ),
        (
            ("Evaluate.Arguments.ProcessingInputs.0.S3Input.S3Uri", "s3://data/test/"),
            (".Parameters.4.DefaultValue", "s3://data/test_old"),
        ),
    ),
)
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"

BOOSTED = (
    *((IMAGE, XGBOOST), (METRICS, GONE), (MACHINE, "ml.m5.xlarge"), (f"{GIVEN}.num_round", "10")),
    *((f"{GIVEN}.{name}", GONE) for name in ("epochs", "lr", "batch", "sagemaker_program")),
)
# A search by a script of XGBoost's image, which has its metrics.
SEARCHED = "Tune.Arguments.TrainingJobDefinition"
OBJECTIVE = f"{CONFIG}.HyperParameterTuningJobObjective.MetricName"
BY_A_SCRIPT = (
    (f"{SEARCHED}.AlgorithmSpecification.MetricDefinitions", GONE),
    (OBJECTIVE, "validation:rmse"),
    (f"{SEARCHED}.AlgorithmSpecification.TrainingImage", XGBOOST),
    (f"{SEARCHED}.ResourceConfig.InstanceType", "ml.m5.xlarge"),
)
ALGORITHMS = (
    Case("SCR004", OBJECTIVE, ((OBJECTIVE, "validation"),), BY_A_SCRIPT),
    Case("SCR017", GIVEN, (*BOOSTED, (f"{GIVEN}.num_round", GONE)), BOOSTED),
    Case("SCR018", f"{GIVEN}.ets", (*BOOSTED, (f"{GIVEN}.ets", "0.1")), (*BOOSTED, (f"{GIVEN}.max_depth", "5"))),
)
CONTAINERS = (
    Case("CON008", IMAGE, (*BOOSTED, (IMAGE, XGBOOST.replace("683313688378", "246618743249"))), BOOSTED),
    Case("CON009", IMAGE, (*BOOSTED, (IMAGE, XGBOOST.replace("1.7-1", "1.6-1"))), BOOSTED),
    value_case("CON001", MACHINE, "ml.m5.xlarge", "ml.g5.xlarge"),
    value_case("CON002", EVALUATION, "ml.g5.xlarge", "ml.m5.large"),
    value_case("CON003", MACHINE, "ml.trn1.2xlarge", "ml.g6.xlarge"),
    value_case("CON004", IMAGE, OLD.replace("py311", "py310"), OLD),
    value_case("CON005", IMAGE, OLD.replace("us-east-1", "eu-west-1"), OLD),
    value_case("CON006", IMAGE, "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:latest", f"{REGISTRY}/mine:1"),
    Case(
        "CON007",
        "Register.Arguments.InferenceSpecification.Containers.0.Image",
        ((IMAGE, f"{REGISTRY}/pytorch-training:2.8.0-gpu-py312"),),
        ((IMAGE, OLD),),
    ),
    value_case(
        "CON013",
        "Register.Arguments.InferenceSpecification.Containers.0.Image",
        f"{REGISTRY}/tensorflow-training:2.18.0-cpu-py310",
        f"{REGISTRY}/tensorflow-inference:2.18.0-cpu",
    ),
    value_case("CON014", IMAGE, "{account}.dkr.ecr.us-east-1.amazonaws.com/mine:1", f"{REGISTRY}/mine:1"),
    Case(
        "CON010",
        IMAGE,
        ((f"{GIVEN}.{SMDDP}", "true"), (MACHINE, "ml.p4d.24xlarge")),
        ((f"{GIVEN}.{SMDDP}", "true"), (MACHINE, "ml.p4d.24xlarge"), (IMAGE, OLD)),
    ),
    Case(
        "CON011",
        MACHINE,
        ((f"{GIVEN}.{SMDDP}", "true"), (IMAGE, OLD)),
        ((f"{GIVEN}.{TORCHRUN}", "true"), (IMAGE, OLD)),
    ),
    Case(
        "CON012",
        f"{RESOURCES}.InstanceCount",
        ((f"{RESOURCES}.InstanceCount", 2),),
        ((f"{RESOURCES}.InstanceCount", 2), (f"{GIVEN}.{TORCHRUN}", "true")),
    ),
    Case(
        "CON020",
        "Train.Arguments.DebugHookConfig",
        (("Train.Arguments.DebugHookConfig", HOOK),),
        (("Train.Arguments.DebugHookConfig", HOOK), (IMAGE, OLDEST)),
    ),
    Case(
        "CON021",
        "Tune.Arguments.TrainingJobDefinition.DebugHookConfig",
        (("Tune.Arguments.TrainingJobDefinition.DebugHookConfig", HOOK),),
        (("Train.Arguments.DebugHookConfig", HOOK), (IMAGE, OLDEST)),
    ),
    Case(
        "CON022",
        "Train.Arguments.DebugHookConfig",
        (
            ("Train.Arguments.DebugHookConfig", HOOK),
            ("Train.Arguments.CheckpointConfig", POINTS),
            (IMAGE, OLDEST),
            (MACHINE, "ml.p4d.24xlarge"),
            (f"{GIVEN}.{SMDDP}", "true"),
        ),
        (
            ("Train.Arguments.DebugHookConfig", HOOK),
            ("Train.Arguments.CheckpointConfig", POINTS),
            (IMAGE, OLDEST),
            (MACHINE, "ml.p4d.24xlarge"),
            (f"{GIVEN}.{TORCHRUN}", "true"),
        ),
    ),
)
SPOT = (
    ("Train.Arguments.EnableManagedSpotTraining", True),
    ("Train.Arguments.CheckpointConfig", POINTS),
    (f"{LIMIT}.MaxWaitTimeInSeconds", 7200),
)
VOLUMES = tuple(
    (f"{name}.Arguments.ProcessingResources.ClusterConfig.VolumeKmsKeyId", "key") for name in ("Prepare", "Evaluate")
)
WARM = (f"{RESOURCES}.KeepAlivePeriodInSeconds", 600)
MACHINES = (
    Case("CON030", f"{RESOURCES}.KeepAlivePeriodInSeconds", (*SPOT, WARM), (WARM,)),
    Case("CON031", f"{LIMIT}.MaxWaitTimeInSeconds", (*SPOT, (f"{LIMIT}.MaxWaitTimeInSeconds", 60)), SPOT),
    Case(
        "CON032",
        f"{RESOURCES}.VolumeKmsKeyId",
        ((f"{RESOURCES}.VolumeKmsKeyId", "key"),),
        ((f"{RESOURCES}.VolumeKmsKeyId", "key"), (MACHINE, "ml.p3.2xlarge"), *VOLUMES),
    ),
    Case(
        "CON033",
        "Train.Arguments.EnableManagedSpotTraining",
        (SPOT[0], SPOT[2]),
        SPOT,
    ),
)
CASES = (*ALGORITHMS, *SEARCHES, *SCRIPTS, *CONTAINERS, *MACHINES)
