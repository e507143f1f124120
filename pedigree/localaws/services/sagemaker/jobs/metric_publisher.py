"""A training job's metrics in CloudWatch, as they come, where SageMaker keeps them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

_LOG = logging.getLogger(__name__)
NAMESPACE = "/aws/sagemaker/TrainingJobs"


class MetricPublisher:
    """Puts numbers that a job has told; a job does not fail because its numbers cannot be kept."""

    def __init__(self, clients: Callable[[str], Any]) -> None:
        self._clients = clients

    def __call__(self, job: str, found: Sequence[tuple[str, float]]) -> None:
        """Keep what a line of the job's log has said."""
        dimensions = [{"Name": "TrainingJobName", "Value": job}]
        told = [{"MetricName": name, "Value": value, "Dimensions": dimensions} for name, value in found]
        try:
            self._clients("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=told)
        except (BotoCoreError, ClientError) as error:
            _LOG.warning("the metrics of %s are not kept: %s", job, error)
