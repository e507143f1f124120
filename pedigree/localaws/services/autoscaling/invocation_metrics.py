"""What CloudWatch is told of invocations: how many there were, how they ended, and how long they took."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pedigree.localaws.services.cloudwatch.statistics import sets
from pedigree.localaws.services.sagemaker.endpoints.metering import Asked

NAMESPACE = "AWS/SageMaker"
_MICROSECONDS = 1e6
_MOST_SETS = 10


def metrics(
    asked: Sequence[Asked], instances: int, dimensions: Sequence[Mapping[str, str]], moment: dt.datetime
) -> Iterator[Mapping[str, Any]]:
    """The metrics of invocations of one variant. Latencies come as sets of similar ones: sums are exact, and few."""
    about = {"Dimensions": dimensions, "Timestamp": moment}
    for name, value in _counts(asked, instances).items():
        yield {**about, "MetricName": name, "Value": value, "Unit": "None"}
    for name, values in _latencies(asked).items():
        for one in sets(values, _MOST_SETS):
            yield {**about, "MetricName": name, "StatisticValues": one, "Unit": "Microseconds"}


def _counts(asked: Sequence[Asked], instances: int) -> Mapping[str, float]:
    return {
        "Invocations": float(len(asked)),
        "InvocationsPerInstance": len(asked) / instances,
        "Invocation4XXErrors": float(sum(one.is_client_error for one in asked)),
        "Invocation5XXErrors": float(sum(one.is_server_error for one in asked)),
    }


def _latencies(asked: Sequence[Asked]) -> Mapping[str, Sequence[float]]:
    return {
        "ModelLatency": [one.model_seconds * _MICROSECONDS for one in asked],
        "OverheadLatency": [one.overhead_seconds * _MICROSECONDS for one in asked],
    }
