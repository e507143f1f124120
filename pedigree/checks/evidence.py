"""What a check may know besides the definition: functions, schedules, scripts, policies. Each part can be missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a check without policies starts faster without pedigree.iam
    from pedigree.iam import Policy


@dataclass(frozen=True)
class Evidence:
    """Documents from outside the definition that some rules need."""

    functions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Configurations of Lambda functions by name, with Timeout and Runtime."""
    schedules: Sequence[Mapping[str, Any]] = ()
    """Targets of EventBridge rules, and schedules of EventBridge Scheduler, as AWS describes them."""
    scripts: Mapping[str, str] = field(default_factory=dict)
    """The source of scripts by file name."""
    policies: Mapping[str, Sequence[Policy]] = field(default_factory=dict)
    """The policies of roles by the role's name."""
    trusts: Mapping[str, Sequence[Policy]] = field(default_factory=dict)
    """The trust policies of roles by the role's name."""
    pipeline_role: str = ""
    """The name of the role that runs the pipeline, which no definition contains."""
