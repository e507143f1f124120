"""Steps that are decided on the spot: conditions, and steps that fail on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.localaws.services.sagemaker.executions.steps.runner import Ended, Run


class ConditionRunner:
    """A Condition step compares, and takes a branch."""

    def start(self, run: Run) -> Mapping[str, Any]:
        """There is nothing to begin."""
        return {"Condition": {"Outcome": self._outcome(run)}}

    def look(self, run: Run) -> Ended:
        """The branch that is taken."""
        outcome = self._outcome(run)
        return Ended("Succeeded", {"Outcome": outcome}, outcome=outcome == "True")

    def stop(self, run: Run) -> None:
        """It has ended already."""

    def _outcome(self, run: Run) -> str:
        return str(run.known.holds(run.step))


class FailRunner:
    """A Fail step ends the execution with its message."""

    def start(self, run: Run) -> Mapping[str, Any]:
        """What it says."""
        return {"Fail": {"ErrorMessage": str(run.arguments.get("ErrorMessage", ""))}}

    def look(self, run: Run) -> Ended:
        """It fails, and is not tried again."""
        return Ended("Failed", reason=str(run.arguments.get("ErrorMessage", "")))

    def stop(self, run: Run) -> None:
        """It has ended already."""
