"""SageMaker Debugger on TrainBest: which tensors are saved, and which rules watch them. Off unless asked for.

AWS closed the Debugger to new customers and left it out of its images from PyTorch 2.1 on. It never goes on a tuner,
whose jobs cannot have rules, nor on smddp.
"""

from __future__ import annotations

from typing import Any, Literal

from entrypoints import contract
from steps import dag, images
from steps.build import Build
from steps.config import Config, Count

Collection = Literal["losses", "metrics", "weights", "gradients", "biases", "all"]
Rule = Literal[
    "VanishingGradient",
    "ExplodingTensor",
    "LossNotDecreasing",
    "Overfit",
    "Overtraining",
    "PoorWeightInitialization",
    "WeightUpdateRatio",
]


class Debugger(Config):
    """What the Debugger saves and judges."""

    enabled: bool = False
    collections: tuple[Collection, ...] = ("losses",)
    save_interval: Count = 100
    rules: tuple[Rule, ...] = ("VanishingGradient", "Overfit", "Overtraining", "PoorWeightInitialization")
    profiler: bool = False


def debugger_request(config: Debugger, build: Build, output: dag.Expression) -> dict[str, Any]:
    """The Debugger's members of a training request, or none."""
    if not config.enabled:
        return {}
    hook = {
        "S3OutputPath": output,
        "LocalPath": contract.DEBUGGER_OUTPUT,
        "HookParameters": {"save_interval": str(config.save_interval)},
        "CollectionConfigurations": [{"CollectionName": name} for name in config.collections],
    }
    profiler = {
        "ProfilerConfig": {"S3OutputPath": output, "ProfilingIntervalInMilliseconds": 500},
        "ProfilerRuleConfigurations": [_rule("ProfilerReport", build.site.region)],
    }
    rules = [_rule(name, build.site.region) for name in config.rules]
    return {
        "DebugHookConfig": hook,
        **({"DebugRuleConfigurations": rules} if rules else {}),
        **(profiler if config.profiler else {"ProfilerConfig": {"DisableProfiler": True}}),
    }


def _rule(name: str, region: str) -> dict[str, Any]:
    return {
        "RuleConfigurationName": name,
        "RuleEvaluatorImage": images.debugger_rules(region),
        "RuleParameters": {"rule_to_invoke": name},
    }
