"""QualityGate: only a champion that is good enough goes on; otherwise the execution fails with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from entrypoints import contract
from steps import dag
from steps.config import Config, Fraction
from steps.evaluate import evaluation_uri, evaluation_value
from steps.parameters import ExecutionParameter

NAME = "QualityGate"
FAIL_NAME = "QualityTooLow"


class QualityConfig(Config):
    """What a champion must reach."""

    accuracy: Annotated[Fraction, ExecutionParameter("AccuracyThreshold")] = 0.7
    """On the test images; below it, nothing is registered."""


def quality_gate(config: QualityConfig, *, evaluation: dag.Step, then: Sequence[dag.Step]) -> dag.Step:
    """The step, with the steps that follow if the champion reaches the threshold."""
    threshold = config.accuracy
    message = ["The champion's accuracy on the test images is below", threshold, "- see", evaluation_uri(evaluation)]
    return dag.ConditionStep(
        NAME,
        description="Lets only a champion that reaches AccuracyThreshold be registered.",
        conditions=[
            dag.ConditionGreaterThanOrEqualTo(
                left=evaluation_value(evaluation, contract.CHAMPION_ACCURACY), right=threshold
            )
        ],
        if_steps=list(then),
        else_steps=[dag.FailStep(FAIL_NAME, error_message=dag.Join(on=" ", values=message))],
    )
