"""Step caching: the attributes that SageMaker compares, and how long a result can be reused.

A cached step is found by those attributes of its request that decide what it computes. Machines, volumes, outputs and
roles are not among them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from pedigree.language.definition import Step
from pedigree.language.errors import DefinitionError
from pedigree.language.pointers import at
from pedigree.language.text import brief

_DEFINITION = "TrainingJobDefinition"
ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": (
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
    ),
    "Tuning": (
        "HyperParameterTuningJobConfig",
        f"{_DEFINITION}.AlgorithmSpecification",
        f"{_DEFINITION}.HyperParameterRanges",
        f"{_DEFINITION}.InputDataConfig",
        f"{_DEFINITION}.StaticHyperParameters",
        f"{_DEFINITION}.TuningObjective",
        "TrainingJobDefinitions",
    ),
    "Transform": ("DataProcessing", "Environment", "ModelName", "TransformInput"),
    "EMR": ("ClusterId", "StepConfig"),
    "AutoML": (
        "AutoMLJobConfig.CompletionCriteria",
        "AutoMLJobConfig.CandidateGenerationConfig",
        "AutoMLJobConfig.DataSplitConfig",
        "AutoMLJobConfig.Mode",
        "AutoMLJobObjective",
        "InputDataConfig",
        "ProblemType",
    ),
}
# For these types all arguments are compared.
_ALL_ARGUMENTS = ("Lambda", "Callback", "QualityCheck", "ClarifyCheck")
# AWS takes 30d and T16m as well, without the P and in small letters.
_DURATION = re.compile(
    r"P?(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?",
    re.ASCII | re.IGNORECASE,
)
_DAYS = (365, 30, 7, 1)


def cached_attributes(step_type: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a request that decide whether an earlier result is reused, by path; without absent ones."""
    paths = ATTRIBUTES.get(step_type, tuple(arguments) if step_type in _ALL_ARGUMENTS else ())
    values = {path: at(arguments, *path.split(".")) for path in paths}
    return {path: value for path, value in values.items() if value is not None}


def key(step: Step, arguments: Mapping[str, Any], target: str) -> str:
    """A hash that is equal for runs of which one can reuse the result of the other.

    The target is the function or the queue of a step that has one; nothing of it and of the arguments is an expression.
    """
    text = json.dumps(
        [step.type, target, cached_attributes(step.type, arguments)], sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(text.encode()).hexdigest()


def lifetime(step: Step) -> dt.timedelta | None:
    """How long a result of a step can be reused, None where its cache is off."""
    config = step.document.get("CacheConfig")
    if not isinstance(config, Mapping) or not config.get("Enabled"):
        return None
    written = config.get("ExpireAfter", "")
    match = _DURATION.fullmatch(written) if isinstance(written, str) else None
    if not match:
        raise DefinitionError(f"ExpireAfter of {step.name} is {brief(written)}", "write a duration like P30D or PT12H")
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = sum(count * days_each for count, days_each in zip((years, months, weeks, days), _DAYS, strict=True))
    try:
        return dt.timedelta(days=total, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        return dt.timedelta.max
