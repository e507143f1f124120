"""Steps that end as soon as they start: conditions, and steps that fail on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.localaws.services.sagemaker.executions.steps.runner import Attempt, StepResult


class ConditionRunner:
    """Runs a Condition step: evaluates its conditions and takes a branch."""

    def start(self, attempt: Attempt) -> Mapping[str, Any]:
        return {"Condition": {"Outcome": self._outcome(attempt)}}

    def poll(self, attempt: Attempt) -> StepResult:
        """The result; the outcome is in small letters for other steps, and with a capital in the step's Metadata."""
        outcome = self._outcome(attempt)
        return StepResult("Succeeded", {"Outcome": outcome.lower()}, branch=outcome == "True")

    def stop(self, attempt: Attempt) -> None:
        """Do nothing: the step has ended already."""

    def _outcome(self, attempt: Attempt) -> str:
        return str(attempt.resolver.holds(attempt.step))


class FailRunner:
    """Runs a Fail step: the execution ends with the step's message."""

    def start(self, attempt: Attempt) -> Mapping[str, Any]:
        return {"Fail": {"ErrorMessage": self._message(attempt)}}

    def poll(self, attempt: Attempt) -> StepResult:
        return StepResult("Failed", reason=self._message(attempt))

    def stop(self, attempt: Attempt) -> None:
        """Do nothing: the step has ended already."""

    def _message(self, attempt: Attempt) -> str:
        return str(attempt.arguments.get("ErrorMessage", ""))
