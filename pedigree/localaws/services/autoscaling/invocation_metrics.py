"""The CloudWatch metrics of an endpoint's invocations: their number, errors and latencies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pedigree.localaws.services.cloudwatch.statistics import statistic_sets
from pedigree.localaws.services.sagemaker.endpoints.metering import EndpointInvocation

NAMESPACE = "AWS/SageMaker"
_MICROSECONDS = 1e6
_MAX_SETS = 10


def metric_data(
    invocations: Sequence[EndpointInvocation],
    instances: int,
    dimensions: Sequence[Mapping[str, str]],
    moment: dt.datetime,
) -> Iterator[Mapping[str, Any]]:
    """Yield the metric data of one variant; latencies come as a few statistic sets, whose sums are exact."""
    common = {"Dimensions": dimensions, "Timestamp": moment}
    for name, value in _counts(invocations, instances).items():
        yield {**common, "MetricName": name, "Value": value, "Unit": "None"}
    for name, values in _latencies(invocations).items():
        for statistic_set in statistic_sets(values, _MAX_SETS):
            yield {**common, "MetricName": name, "StatisticValues": statistic_set, "Unit": "Microseconds"}


def backlog_data(endpoint: str, waiting: int, instances: int, moment: dt.datetime) -> Iterator[Mapping[str, Any]]:
    """Yield the metric data of the asynchronous invocations that wait at an endpoint."""
    dimensions = [{"Name": "EndpointName", "Value": endpoint}]
    for name, value in {
        "ApproximateBacklogSize": float(waiting),
        "ApproximateBacklogSizePerInstance": waiting / (instances or 1),
        "HasBacklogWithoutCapacity": float(waiting > 0 and not instances),
    }.items():
        yield {"Dimensions": dimensions, "Timestamp": moment, "MetricName": name, "Value": value, "Unit": "None"}


def _counts(invocations: Sequence[EndpointInvocation], instances: int) -> Mapping[str, float]:
    return {
        "Invocations": float(len(invocations)),
        "InvocationsPerInstance": len(invocations) / instances,
        "Invocation4XXErrors": float(sum(invocation.is_client_error for invocation in invocations)),
        "Invocation5XXErrors": float(sum(invocation.is_server_error for invocation in invocations)),
    }


def _latencies(invocations: Sequence[EndpointInvocation]) -> Mapping[str, Sequence[float]]:
    return {
        "ModelLatency": [invocation.model_seconds * _MICROSECONDS for invocation in invocations],
        "OverheadLatency": [invocation.overhead_seconds * _MICROSECONDS for invocation in invocations],
    }
