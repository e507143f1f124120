"""Puts the metrics of training jobs into CloudWatch, where SageMaker puts them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

_LOG = logging.getLogger(__name__)
NAMESPACE = "/aws/sagemaker/TrainingJobs"


class MetricPublisher:
    """Puts values as jobs log them. A job does not fail because its metrics cannot be stored."""

    def __init__(self, clients: Callable[[str], Any]) -> None:
        self._clients = clients

    def __call__(self, job: str, values: Sequence[tuple[str, float]]) -> None:
        """Put the values in a line of a job's log."""
        dimensions = [{"Name": "TrainingJobName", "Value": job}]
        data = [{"MetricName": name, "Value": value, "Dimensions": dimensions} for name, value in values]
        try:
            self._clients("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
        except (BotoCoreError, ClientError) as error:
            _LOG.warning("the metrics of %s are not stored: %s", job, error)
