"""Which setting reaches which step: for every key another value, what it needs beside it, and what changes by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pedigree.language.definition import read
from tests.support.definitions import define

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
JOBS = "PrepareData Tune TrainBest TrainDistributed Evaluate"
TRAININGS = "Tune TrainBest TrainDistributed"
EVERY_STEP = f"{JOBS} RegisterModel DeployEndpoint AwaitEndpoint ConfigureAutoscaling"
VPC = {"site.network.subnets": ["subnet-0123abcd"], "site.network.security_groups": ["sg-0123abcd"]}
SHUT = {"data.source": "s3://images/dogs.zip", "training.weights": "s3://images/w.pth"}
DEBUGGED = {"debugger.enabled": True, "images.training.version": "2.0.1", "images.training.python": "py310"}
SEVERAL = {"endpoint.instance_count": 2, "autoscaling.min_capacity": 2}
FEWER_FAULTS = ["Step.THROTTLING"]


@dataclass(frozen=True)
class Effect:
    """A key, a value that differs, the steps and parameters that change by it, and what must be set for that."""

    key: str
    value: Any
    changes: str
    beside: Mapping[str, Any] = field(default_factory=dict)

    def seen(self) -> set[str]:
        """What does change."""
        before, after = _parts(define(self.beside)), _parts(define({**self.beside, self.key: self.value}))
        return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def _parts(document: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters, and the steps without those in their branches."""
    parameters = {one["Name"]: one for one in document["Parameters"]}
    return parameters | {
        one.name: {**one.document, "Arguments": dict(one.own_arguments)} for one in read(document).all_steps()
    }


EFFECTS = (
    Effect("pipeline.name", "cats", "DeployEndpoint AwaitEndpoint ConfigureAutoscaling"),
    Effect("site.account", "123456789012", f"{JOBS} DeployEndpoint AwaitEndpoint ConfigureAutoscaling"),
    Effect("site.region", "eu-central-1", EVERY_STEP),
    Effect("site.bucket", "mine", f"{JOBS} DeployEndpoint"),
    Effect("site.prefix", "mine", f"{JOBS} DeployEndpoint"),
    Effect("site.tags", {"team": "vision"}, f"{JOBS} DeployEndpoint"),
    Effect("site.roles.job", "mine", JOBS),
    Effect("site.roles.model", "mine", "DeployEndpoint"),
    Effect("site.network.subnets", ["subnet-89abcdef"], f"{JOBS} DeployEndpoint", VPC),
    Effect("site.network.security_groups", ["sg-89abcdef"], f"{JOBS} DeployEndpoint", VPC),
    Effect("site.network.isolation", True, f"{JOBS} DeployEndpoint", SHUT),
    Effect("site.network.encrypt_traffic", True, JOBS),
    Effect("site.encryption.output_key", KEY, f"{JOBS} RegisterModel DeployEndpoint"),
    Effect("site.encryption.volume_key", KEY, "PrepareData Evaluate DeployEndpoint"),
    Effect("images.training.version", "2.12", "PrepareData Tune TrainBest Evaluate"),
    Effect("images.training.image_uri", IMAGE, "PrepareData Tune TrainBest Evaluate"),
    Effect("images.distributed.version", "2.4.0", "TrainDistributed"),
    Effect("images.distributed.image_uri", IMAGE, "TrainDistributed"),
    Effect("images.inference.version", "2.5.1", "RegisterModel", {"images.inference.python": ""}),
    Effect("images.inference.image_uri", IMAGE, "RegisterModel"),
    Effect("data.source", "https://host/cats.zip", "InputDataUrl"),
    Effect("data.sha256", 64 * "0", "InputDataUrl"),
    Effect("data.splits.train", 0.800_000_4, "PrepareData"),  # as much as the sum of the three may be off
    Effect("data.splits.validation", 0.100_000_4, "PrepareData"),
    Effect("data.splits.test", 0.100_000_4, "PrepareData"),
    Effect("data.image_size", 256, "PrepareData"),
    Effect("processing.instance_type", "ml.m5.2xlarge", "ProcessingInstanceType"),
    Effect("processing.alternatives", ["ml.m5.4xlarge"], "ProcessingInstanceType"),
    Effect("processing.volume_gigabytes", 100, "PrepareData Evaluate"),
    Effect("processing.max_runtime_seconds", 600, "PrepareData Evaluate"),
    Effect("tuning.strategy", "Random", "Tune"),
    Effect("tuning.objective", "validation:accuracy", "Tune"),
    Effect("tuning.max_jobs", 4, "TuningMaxJobs"),
    Effect("tuning.parallel_jobs", 2, "TuningMaxParallelJobs"),
    Effect("tuning.early_stopping", "Auto", "Tune"),
    Effect("tuning.seed", 7, "Tune"),
    Effect("tuning.hyperband_min_epochs", 2, "Tune", {"tuning.strategy": "Hyperband"}),
    Effect("tuning.ranges", {"dropout": {"type": "categorical", "values": [0.1, 0.2]}}, TRAININGS),
    Effect("training.architecture", "resnet101", TRAININGS),
    Effect("training.weights", "IMAGENET1K_V1", TRAININGS),
    Effect("training.layers", "all", TRAININGS),
    Effect("training.epochs", 3, "Epochs"),
    Effect("training.precision", "fp16", TRAININGS),
    Effect("training.seed", 7, TRAININGS),
    Effect("training.hyperparameters", {"patience": 3}, TRAININGS),
    Effect("training.instance_type", "ml.g5.xlarge", "TrainingInstanceType"),
    Effect("training.alternatives", ["ml.g5.xlarge"], "TrainingInstanceType"),
    Effect("training.volume_gigabytes", 100, "Tune TrainBest"),
    Effect("training.max_runtime_seconds", 600, "Tune TrainBest"),
    Effect("training.input_mode", "FastFile", TRAININGS),
    Effect("training.spot", True, TRAININGS),
    Effect("training.max_wait_seconds", 30000, TRAININGS, {"training.spot": True}),
    Effect("training.warm_pool_seconds", 600, "TrainBest"),
    Effect("distributed.enabled", False, "DistributedInstanceCount DistributedInstanceType TrainDistributed Evaluate"),
    Effect("distributed.launcher", "torchrun", "DistributedInstanceType TrainDistributed"),
    Effect("distributed.instance_type", "ml.p4de.24xlarge", "DistributedInstanceType"),
    Effect("distributed.alternatives", ["ml.p4d.24xlarge"], "DistributedInstanceType"),
    Effect("distributed.instance_count", 4, "DistributedInstanceCount"),
    Effect("distributed.volume_gigabytes", 100, "TrainDistributed"),
    Effect("distributed.max_runtime_seconds", 600, "TrainDistributed"),
    Effect(
        "debugger.enabled", True, "TrainBest", {"images.training.version": "2.0.1", "images.training.python": "py310"}
    ),
    Effect("debugger.collections", ["gradients"], "TrainBest", DEBUGGED),
    Effect("debugger.save_interval", 5, "TrainBest", DEBUGGED),
    Effect("debugger.rules", ["Overfit"], "TrainBest", DEBUGGED),
    Effect("debugger.profiler", True, "TrainBest", DEBUGGED),
    Effect("quality.accuracy", 0.9, "AccuracyThreshold"),
    Effect("registry.group", "cats", "RegisterModel"),
    Effect("registry.approval", "PendingManualApproval", "ModelApprovalStatus"),
    Effect("registry.inference_instance_types", ["ml.m5.large"], "EndpointInstanceType RegisterModel"),
    Effect("endpoint.name", "cats", "EndpointName"),
    Effect("endpoint.instance_type", "ml.c5.xlarge", "EndpointInstanceType"),
    Effect("endpoint.instance_count", 2, "EndpointInstanceCount"),
    Effect("endpoint.variant", "Mine", "DeployEndpoint ConfigureAutoscaling"),
    Effect("endpoint.capture_percent", 10, "DeployEndpoint"),
    Effect("endpoint.update.policy", "canary", "DeployEndpoint", SEVERAL),
    Effect("endpoint.update.step_percent", 10, "DeployEndpoint"),
    Effect("endpoint.update.wait_seconds", 60, "DeployEndpoint"),
    Effect("endpoint.update.termination_wait_seconds", 60, "DeployEndpoint"),
    Effect("endpoint.update.timeout_seconds", 3600, "DeployEndpoint"),
    Effect("endpoint.alarms.server_errors_percent", 1, "DeployEndpoint"),
    Effect("endpoint.alarms.latency_milliseconds", 100, "DeployEndpoint"),
    Effect("endpoint.alarms.extra", ["mine"], "DeployEndpoint"),
    Effect("autoscaling.min_capacity", 2, "AutoscalingMinCapacity", {"endpoint.instance_count": 2}),
    Effect("autoscaling.max_capacity", 5, "AutoscalingMaxCapacity"),
    Effect("autoscaling.target_invocations_per_minute", 60, "AutoscalingTargetInvocations"),
    Effect("autoscaling.scale_in_cooldown_seconds", 60, "ConfigureAutoscaling"),
    Effect("autoscaling.scale_out_cooldown_seconds", 60, "ConfigureAutoscaling"),
    Effect("retries.processing.max_attempts", 7, "PrepareData Evaluate"),
    Effect(
        "retries.processing.expire_after_minutes", 7, "PrepareData Evaluate", {"retries.processing.max_attempts": 0}
    ),
    Effect("retries.processing.interval_seconds", 7, "PrepareData Evaluate"),
    Effect("retries.processing.backoff_rate", 1.5, "PrepareData Evaluate"),
    Effect("retries.processing.on", FEWER_FAULTS, "PrepareData Evaluate"),
    Effect("cache.processing", "PT1H", "PrepareData Evaluate"),
    Effect("retries.tuning.max_attempts", 7, "Tune"),
    Effect("retries.tuning.expire_after_minutes", 7, "Tune", {"retries.tuning.max_attempts": 0}),
    Effect("retries.tuning.interval_seconds", 7, "Tune"),
    Effect("retries.tuning.backoff_rate", 1.5, "Tune"),
    Effect("retries.tuning.on", FEWER_FAULTS, "Tune"),
    Effect("cache.tuning", "PT1H", "Tune"),
    Effect("retries.training.expire_after_minutes", 7, "TrainBest TrainDistributed"),
    Effect(
        "retries.training.max_attempts", 7, "TrainBest TrainDistributed", {"retries.training.expire_after_minutes": 0}
    ),
    Effect("retries.training.interval_seconds", 7, "TrainBest TrainDistributed"),
    Effect("retries.training.backoff_rate", 1.5, "TrainBest TrainDistributed"),
    Effect("retries.training.on", FEWER_FAULTS, "TrainBest TrainDistributed"),
    Effect("cache.training", "PT1H", "TrainBest TrainDistributed"),
    Effect("retries.registry.max_attempts", 7, "RegisterModel"),
    Effect("retries.registry.expire_after_minutes", 7, "RegisterModel", {"retries.registry.max_attempts": 0}),
    Effect("retries.registry.interval_seconds", 7, "RegisterModel"),
    Effect("retries.registry.backoff_rate", 1.5, "RegisterModel"),
    Effect("retries.registry.on", FEWER_FAULTS, "RegisterModel"),
)

# What the account is given beside the definition: the pipeline's own members, functions, schedule, roles.
BESIDE_THE_DEFINITION = (
    *(
        f"images.{family}.python" for family in ("training", "distributed", "inference")
    ),  # held against the SDK's tables
    *("pipeline.description", "pipeline.parallel_steps", "functions", "schedule", "checks"),
    *(f"site.roles.{name}" for name in ("pipeline", "deploy", "await", "autoscale", "predict", "scheduler", "ec2")),
)
