"""The requests of the steps: images, code, channels, values, resources, network, encryption, tags, limits."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from entrypoints import contract, hyperparameters
from pedigree.language.definition import read
from tests.support.definitions import assert_sound, define, step

JOBS = ("PrepareData", "Tune", "TrainBest", "TrainDistributed", "Evaluate")
TRAININGS = ("TrainBest", "TrainDistributed")
DEBUGGED = {"debugger.enabled": True, "images.training.version": "2.0.1", "images.training.python": "py310"}
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd"
VPC = {"site.network.subnets": ["subnet-0123abcd"], "site.network.security_groups": ["sg-0123abcd"]}
ISOLATED = {
    "site.network.isolation": True,
    "data.source": "s3://images/dogs.zip",
    "training.weights": "s3://images/w.pth",
}


def arguments(name: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
    document = define(values)
    assert_sound(document)
    found: dict[str, Any] = step(document, name)["Arguments"]
    return found


def training(name: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
    """The request of a training step; of Tune, its training definition."""
    request = arguments(name, values)
    found: dict[str, Any] = request.get("TrainingJobDefinition", request)
    return found


def leaves(value: Any) -> list[tuple[str, Any]]:
    """Every key with its value, at any depth."""
    if isinstance(value, dict):
        return [pair for key, member in value.items() for pair in [(key, member), *leaves(member)]]
    return [pair for member in value for pair in leaves(member)] if isinstance(value, list) else []


@pytest.mark.parametrize("name", TRAININGS)
def test_the_best_values_come_from_the_search(name: str) -> None:
    values = training(name)["HyperParameters"]
    for tuned in ("learning_rate", "batch_size"):
        assert values[tuned] == {"Get": f"Steps.Tune.BestTrainingJob.TunedHyperParameters['{tuned}']"}


def test_what_is_tuned_is_fixed_nowhere() -> None:
    assert not {"learning_rate", "batch_size"} & set(training("Tune")["StaticHyperParameters"])


def test_integer_and_categorical_ranges_are_text_that_the_script_reads_back() -> None:
    ranges = {
        "batch_size": {"type": "integer", "min": 16, "max": 256, "scaling": "Linear"},
        "architecture": {"type": "categorical", "values": ["resnet18", "resnet50"]},
        "dropout": {"type": "categorical", "values": [0, 0.5]},
    }
    values = {"tuning.ranges": ranges, "training.weights": "DEFAULT"}
    request = arguments("Tune", values)
    assert request["HyperParameterTuningJobConfig"]["ParameterRanges"] == {
        "IntegerParameterRanges": [
            {"Name": "batch_size", "MinValue": "16", "MaxValue": "256", "ScalingType": "Linear"}
        ],
        "CategoricalParameterRanges": [
            {"Name": "architecture", "Values": ["resnet18", "resnet50"]},
            {"Name": "dropout", "Values": ["0", "0.5"]},
        ],
    }
    best = training("TrainBest", values)["HyperParameters"]
    assert best["architecture"] == {"Get": "Steps.Tune.BestTrainingJob.TunedHyperParameters['architecture']"}


@pytest.mark.parametrize("name", ["Tune", *TRAININGS])
def test_every_hyperparameter_is_text(name: str) -> None:
    request = training(name)
    for value in (request.get("HyperParameters") or request["StaticHyperParameters"]).values():
        assert isinstance(value, str) or set(value) <= {"Get", "Std:Join"}


@pytest.mark.parametrize("name", ["Tune", *TRAININGS])
def test_hyperparameters_are_those_that_the_script_takes(name: str) -> None:
    request = training(name)
    names = request.get("HyperParameters") or request["StaticHyperParameters"]
    assert {name for name in names if not name.startswith("sagemaker_")} <= set(hyperparameters.NAMES)


@pytest.mark.parametrize("line", ["1e-05", "-3.5", "nan", "inf", "0.75", "12", "-inf", "1.5E+10"])
def test_the_metric_regex_reads_every_number_that_the_script_can_log(line: str) -> None:
    for definition in training("TrainBest")["AlgorithmSpecification"]["MetricDefinitions"]:
        logged = contract.METRIC_LINE.format(name=definition["Name"], value=line)
        found = re.search(definition["Regex"], f"2026-01-01 {logged} and more")
        assert found is not None
        assert found[1] == line


def test_the_objective_is_a_metric_that_is_read() -> None:
    request = arguments("Tune", {"tuning.objective": "validation:accuracy"})
    objective = request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    definitions = request["TrainingJobDefinition"]["AlgorithmSpecification"]["MetricDefinitions"]
    read = [definition["Name"] for definition in definitions]
    assert objective == {"MetricName": "validation:accuracy", "Type": "Maximize"}
    assert objective["MetricName"] in read


def test_training_never_sees_the_test_images() -> None:
    channels = [
        channel["ChannelName"] for name in ("Tune", *TRAININGS) for channel in training(name)["InputDataConfig"]
    ]
    assert contract.TEST not in channels
    assert {contract.TRAINING, contract.VALIDATION, contract.DATASET, contract.CODE} <= set(channels)


@pytest.mark.parametrize("name", JOBS)
def test_outputs_carry_the_execution_and_the_step(name: str) -> None:
    keys = [value for key, value in leaves(arguments(name)) if key in ("S3OutputPath",)]
    keys += [value["S3Uri"] for key, value in leaves(arguments(name)) if key == "S3Output"]
    assert keys
    for key in keys:
        first, execution, folder, *_ = key["Std:Join"]["Values"]
        assert first.endswith("/pedigree/executions")
        assert (execution, folder) == ({"Get": "Execution.PipelineExecutionId"}, name)


# What AWS compares before it reuses a result, by type of step.
CACHE_KEYS = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": (
        *("AlgorithmSpecification", "CheckpointConfig", "DebugHookConfig", "DebugRuleConfigurations", "Environment"),
        *("HyperParameters", "InputDataConfig"),
    ),
    "Tuning": (
        "HyperParameterTuningJobConfig",
        *(
            f"TrainingJobDefinition.{member}"
            for member in ("AlgorithmSpecification", "HyperParameterRanges", "InputDataConfig", "StaticHyperParameters")
        ),
    ),
}


@pytest.mark.parametrize("values", [{}, {"training.spot": True}, DEBUGGED], ids=["default", "spot", "debugger"])
def test_nothing_that_every_execution_changes_is_in_a_cache_key(values: dict[str, Any]) -> None:
    for cached in read(define(values)).all_steps():
        for key in CACHE_KEYS.get(cached.type, ()):
            member: Any = dict(cached.arguments)
            for name in key.split("."):
                member = member.get(name, {})
            assert "Execution." not in str(member), f"{cached.name} {key}"


def test_code_comes_under_a_key_made_of_its_content() -> None:
    document = define()
    keys = set(re.findall(r"s3://[^\"']*/code/[^\"']*", str(document)))
    assert len(keys) == 1
    assert re.search(r"/code/[0-9a-f]{16}/source\.tar\.gz$", keys.pop())


@pytest.mark.parametrize("name", JOBS)
def test_network_encryption_and_tags_reach_every_job(name: str) -> None:
    values = {**VPC, **ISOLATED, "site.network.encrypt_traffic": True, "site.tags": {"team": "vision"}}
    values |= {"site.encryption.output_key": KEY, "site.encryption.volume_key": KEY}
    values |= {"training.instance_type": "ml.m5.4xlarge", "distributed.launcher": "torchrun"}
    request = arguments(name, {**values, "distributed.instance_type": "ml.c5.9xlarge"})
    flat = dict(leaves(request))
    assert flat["VpcConfig"] == {"SecurityGroupIds": ["sg-0123abcd"], "Subnets": ["subnet-0123abcd"]}
    assert flat["EnableNetworkIsolation"] is True
    assert flat["EnableInterContainerTrafficEncryption"] is True
    assert flat["KmsKeyId"] == flat["VolumeKmsKeyId"] == KEY
    assert request["Tags"] == [{"Key": "team", "Value": "vision"}]
    assert flat["RoleArn"].endswith(":role/pedigree-job")
    assert flat["MaxRuntimeInSeconds"] > 0


def test_a_machine_with_disks_of_its_own_is_given_no_volume_key() -> None:
    request = training("TrainBest", {"site.encryption.volume_key": KEY, "training.instance_type": "ml.g4dn.xlarge"})
    assert "VolumeKmsKeyId" not in request["ResourceConfig"]


def test_with_network_isolation_s3_delivers_the_images() -> None:
    request = arguments("PrepareData", {**ISOLATED, "data.sha256": "0" * 64})
    words = request["AppSpecification"]["ContainerArguments"]
    source = next(channel for channel in request["ProcessingInputs"] if channel["InputName"] == contract.SOURCE)
    assert source["S3Input"]["S3Uri"] == {"Get": "Parameters.InputDataUrl"}
    assert words[:4] == ["--source", source["S3Input"]["LocalPath"], "--sha256", "0" * 64]


def test_weights_in_s3_are_a_channel() -> None:
    request = training("TrainBest", {"training.weights": "s3://images/w.pth"})
    assert request["HyperParameters"]["weights"] == contract.WEIGHTS_CHANNEL
    assert contract.WEIGHTS in [channel["ChannelName"] for channel in request["InputDataConfig"]]


def test_spot_resumes_from_checkpoints_that_a_reused_search_finds_again() -> None:
    values = {"training.spot": True, "training.max_wait_seconds": 40_000}
    request = training("TrainBest", values)
    place = request["CheckpointConfig"]["S3Uri"]["Std:Join"]["Values"]
    assert request["EnableManagedSpotTraining"] is True
    assert request["StoppingCondition"]["MaxWaitTimeInSeconds"] >= request["StoppingCondition"]["MaxRuntimeInSeconds"]
    assert place[1] == {"Get": "Steps.Tune.BestTrainingJob.TrainingJobName"}
    assert {"Get": "Execution.PipelineExecutionId"} not in place


def test_a_warm_pool_keeps_the_machine_of_train_best() -> None:
    assert (
        training("TrainBest", {"training.warm_pool_seconds": 600})["ResourceConfig"]["KeepAlivePeriodInSeconds"] == 600
    )


@pytest.mark.parametrize(
    ("launcher", "machine", "flag"),
    [
        ("smddp", "ml.p4d.24xlarge", "sagemaker_distributed_dataparallel_enabled"),
        ("torchrun", "ml.g5.xlarge", "sagemaker_torch_distributed_enabled"),
    ],
)
def test_the_launcher_reaches_the_toolkit(launcher: str, machine: str, flag: str) -> None:
    values = training("TrainDistributed", {"distributed.launcher": launcher, "distributed.instance_type": machine})
    hyperparameters = values["HyperParameters"]
    assert hyperparameters[flag] == "true"
    assert [name for name in hyperparameters if name.endswith("_enabled")] == [flag]
    assert hyperparameters["sagemaker_instance_type"] == values["ResourceConfig"]["InstanceType"]


def test_the_debugger_is_on_train_best_only_and_off_by_default() -> None:
    assert "Debug" not in str(define())
    document = define({**DEBUGGED, "debugger.profiler": True})
    assert_sound(document)
    assert "DebugHookConfig" in step(document, "TrainBest")["Arguments"]
    for name in ("Tune", "TrainDistributed"):
        assert "Debug" not in str(step(document, name))


@pytest.mark.parametrize("strategy", ["Bayesian", "Random", "Hyperband"])
def test_strategies_are_complete_requests(strategy: str) -> None:
    config = arguments("Tune", {"tuning.strategy": strategy})["HyperParameterTuningJobConfig"]
    assert config["Strategy"] == strategy
    assert ("StrategyConfig" in config) == (strategy == "Hyperband")


def test_a_grid_counts_its_jobs_itself() -> None:
    ranges = {"batch_size": {"type": "categorical", "values": [32, 64]}}
    document = define({"tuning.strategy": "Grid", "tuning.ranges": ranges})
    assert_sound(document)
    assert "TuningMaxJobs" not in str(document)


def test_a_registered_model_says_where_it_comes_from() -> None:
    request = arguments("RegisterModel")
    assert request["CustomerMetadataProperties"] == {
        "dataset_sha256": {
            "Std:JsonGet": {"PropertyFile": {"Get": "Steps.PrepareData.PropertyFiles.Dataset"}, "Path": "sha256"}
        },
        "code_sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "champion": {
            "Std:JsonGet": {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Evaluation"}, "Path": "champion.name"}
        },
        "execution_id": {"Get": "Execution.PipelineExecutionId"},
    }
    assert request["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]["Std:Join"]["Values"][-1] == "evaluation.json"
    assert request["InferenceSpecification"]["Containers"][0]["Image"].endswith("pytorch-inference:2.6.0-cpu-py312")


def test_the_functions_are_given_flat_events() -> None:
    for name in ("DeployEndpoint", "AwaitEndpoint", "ConfigureAutoscaling"):
        for value in arguments(name, VPC).values():
            assert isinstance(value, (str, int, float)) or set(value) == {"Get"}


def test_what_settings_fix_of_a_deployment_is_in_its_event() -> None:
    values = {
        **VPC,
        "endpoint.update.policy": "linear",
        "endpoint.instance_count": 2,
        "autoscaling.min_capacity": 2,
        "endpoint.update.step_percent": 25,
        "endpoint.alarms.extra": ["a", "b"],
    }
    event = arguments("DeployEndpoint", values)
    assert (event["traffic_policy"], event["traffic_step_percent"], event["extra_alarms"]) == (
        "linear",
        25,
        '["a","b"]',
    )
    assert event["subnets"] == '["subnet-0123abcd"]'
    pipeline = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/dog-breeds"
    assert json.loads(event["tags"]) == {"project": "pedigree", "pedigree:pipeline": pipeline}


def test_policies_by_kind_of_step() -> None:
    document = define({"retries.training.expire_after_minutes": 0, "cache.tuning": "", "cache.processing": "PT12H"})
    assert_sound(document)
    assert "RetryPolicies" not in step(document, "TrainBest")
    assert step(document, "Tune")["CacheConfig"] == {"Enabled": False}
    assert step(document, "Evaluate")["CacheConfig"] == {"Enabled": True, "ExpireAfter": "PT12H"}
    assert [policy["ExceptionType"] for policy in step(document, "PrepareData")["RetryPolicies"]] == [
        ["Step.SERVICE_FAULT", "Step.THROTTLING"],
        ["SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR"],
    ]
    for name in ("QualityGate", "DeployEndpoint", "AwaitEndpoint", "ConfigureAutoscaling"):
        assert not {"RetryPolicies", "CacheConfig"} & set(step(document, name))


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [
        ("eu-central-1", "aws", "amazonaws.com"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
    ],
)
def test_another_region_changes_every_address(region: str, partition: str, suffix: str) -> None:
    document = define({"site.region": region, "site.account": "123456789012"})
    assert_sound(document)
    deploy, wait = step(document, "DeployEndpoint"), step(document, "AwaitEndpoint")
    assert deploy["FunctionArn"].startswith(f"arn:{partition}:lambda:{region}:123456789012:function:sagemaker-")
    assert wait["SqsQueueUrl"] == f"https://sqs.{region}.{suffix}/123456789012/dog-breeds-await-endpoint"
    assert "us-east-1" not in str(document)
    assert "000000000000" not in str(document)
