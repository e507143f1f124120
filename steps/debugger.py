"""SageMaker Debugger on TrainBest: which tensors are saved, and which rules watch them. Off by default.

AWS closed the Debugger to new customers and removed it from images from PyTorch 2.1 on. A tuner's jobs cannot have
rules, and smddp does not support them. AWS's own catalog, smdebug_rulesconfig, says what a rule needs.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field

from entrypoints import contract
from pedigree.aws import images
from steps import dag
from steps.build import Build
from steps.config import Config, Count, Unique

Collection = Literal["losses", "metrics", "weights", "gradients", "biases", "all"]
BuiltinRule = Literal[
    "VanishingGradient",
    "ExplodingTensor",
    "LossNotDecreasing",
    "Overfit",
    "Overtraining",
    "PoorWeightInitialization",
    "WeightUpdateRatio",
]


class DebuggerConfig(Config):
    """What the Debugger checks and saves; it always saves what its rules need."""

    enabled: bool = False
    """Closed to new customers since 2026-07-30, and only in images up to 2.0.1."""
    collections: Unique[Collection] = ("losses",)
    """Saved in addition to what the rules need."""
    save_interval: Count = 100
    """Steps between two savings."""
    rules: Unique[BuiltinRule] = Field(
        default=("VanishingGradient", "Overfit", "Overtraining", "PoorWeightInitialization")
    )
    profiler: bool = False


def debugger_request(
    config: DebuggerConfig, build: Build, tensors: dag.Expression, profile: dag.Expression
) -> dict[str, Any]:
    """The Debugger's members of a training request; tensors and profile are their S3 addresses."""
    if not config.enabled:
        return {}
    hook = {
        "S3OutputPath": tensors,
        "LocalPath": contract.DEBUGGER_OUTPUT,
        "HookParameters": {"save_interval": str(config.save_interval)},
        "CollectionConfigurations": _collections(config),
    }
    profiler = {
        "ProfilerConfig": {"S3OutputPath": profile, "ProfilingIntervalInMilliseconds": 500},
        "ProfilerRuleConfigurations": [_rule("ProfilerReport", build.site.region)],
    }
    rules = [_rule(name, build.site.region) for name in config.rules]
    return {
        "DebugHookConfig": hook,
        **({"DebugRuleConfigurations": rules} if rules else {}),
        **(profiler if config.profiler else {"ProfilerConfig": {"DisableProfiler": True}}),
    }


def _collections(config: DebuggerConfig) -> list[dict[str, Any]]:
    """The collections of the settings, and those that AWS's catalog lists for the rules."""
    import smdebug_rulesconfig as catalog  # only where rules are asked for

    wanted: dict[str, dict[str, Any]] = {name: {"CollectionName": name} for name in config.collections}
    for rule in config.rules:
        entry = getattr(catalog, re.sub(r"(?<!^)(?=[A-Z])", "_", rule).lower())()
        for collection in entry.get("CollectionConfigurations", ()):
            wanted[collection["CollectionName"]] = collection
    return list(wanted.values())


def _rule(name: str, region: str) -> dict[str, Any]:
    return {
        "RuleConfigurationName": name,
        "RuleEvaluatorImage": images.debugger_rules(region),
        "RuleParameters": {"rule_to_invoke": name},
    }
