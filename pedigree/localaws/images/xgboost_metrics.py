"""The metrics of SageMaker's built-in XGBoost, as DescribeTrainingJob shows them for jobs without definitions.

Its training logs a line a round, `[0]<tab>train-rmse:0.95<tab>validation-rmse:0.97`. CloudWatch Logs shows the tab as
`#011`, and the expressions below expect that. A search names the metric of its objective `validation:rmse`.
"""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path

_CONSTANTS = Path(__file__).parent / "programs/shims/sagemaker_xgboost_container/constants/xgb_constants.py"
_NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"


def definitions() -> Iterator[tuple[str, str]]:
    """The name and the expression of each metric."""
    for channel in ("train", "validation"):
        for metric in names():
            yield f"{channel}:{metric}", rf".*\[[0-9]+\].*#011{channel}-{metric}:{_NUMBER}.*"


def names() -> list[str]:
    """The metrics, without a channel."""
    constants = runpy.run_path(str(_CONSTANTS))
    return sorted([*constants["XGB_MAXIMIZE_METRICS"], *constants["XGB_MINIMIZE_METRICS"]])
