"""When an earlier result of a step will do: what the service compares, and for how long a result is good.

A step whose cache is on is looked up by the attributes of its request that matter to what it computes. Machines,
volumes, outputs and roles are none of them.
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
# These are looked up by all that they are asked for.
_WHOLE = ("Lambda", "Callback", "QualityCheck", "ClarifyCheck")
# AWS takes 30d and T16m as well, without the P and in small letters.
_DURATION = re.compile(
    r"P?(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?",
    re.ASCII | re.IGNORECASE,
)
_DAYS = (365, 30, 7, 1)


def cached_attributes(step_type: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What of a step's request decides whether an earlier result will do, by its path; absent is left out."""
    paths = ATTRIBUTES.get(step_type, tuple(arguments) if step_type in _WHOLE else ())
    found = {path: at(arguments, *path.split(".")) for path in paths}
    return {path: value for path, value in found.items() if value is not None}


def key(step: Step, arguments: Mapping[str, Any]) -> str:
    """What an earlier run must have had in common with this one, as a hash; arguments have their values in place."""
    whom = step.document.get("FunctionArn") or step.document.get("SqsQueueUrl") or ""
    text = json.dumps([step.type, whom, cached_attributes(step.type, arguments)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def lifetime(step: Step) -> dt.timedelta | None:
    """For how long a result of a step is good; None where its cache is off."""
    config = step.document.get("CacheConfig")
    if not isinstance(config, Mapping) or not config.get("Enabled"):
        return None
    written = config.get("ExpireAfter", "")
    match = _DURATION.fullmatch(written) if isinstance(written, str) else None
    if not match:
        raise DefinitionError(
            f"{step.pointer}/CacheConfig/ExpireAfter is {written!r}; write a duration like P30D or PT12H"
        )
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    whole = sum(count * days_each for count, days_each in zip((years, months, weeks, days), _DAYS, strict=True))
    try:
        return dt.timedelta(days=whole, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        return dt.timedelta.max
