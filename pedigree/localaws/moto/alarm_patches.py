"""Patches of moto's CloudWatch: alarms begin and are described as AWS has it, and tags end with what has them.

Each function below makes a replacement for one of moto's, and its docstring says what AWS does.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

from moto.cloudwatch import models
from moto.cloudwatch.models import Alarm, CloudWatchBackend, Dimension
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult


def new_alarm(original: Any) -> Callable[..., Any]:
    """Nothing is known of an alarm's metric at first."""

    def init(self: Alarm, *args: Any, **named: Any) -> None:
        original(self, *args, **named)
        self.state_value = "INSUFFICIENT_DATA"

    return init


def _described(alarm: Alarm) -> Any:
    """A copy of an alarm without the members that nobody has given it."""
    described: Any = copy(alarm)
    described.state_transitioned_timestamp = alarm.state_updated_timestamp
    described.metric_data_queries = alarm.metric_data_queries or None
    described.state_reason_data = None if alarm.state_reason_data == "{}" else alarm.state_reason_data
    return described


def described_alarms(original: Any) -> Callable[..., Any]:
    """Metric alarms are described unless others are asked for, each with the time of its last change of state."""

    def describe(self: CloudWatchResponse) -> ActionResult:
        result = original(self).result
        types = self._get_param("AlarmTypes") or ["MetricAlarm"]
        described = {
            f"{kind}s": [_described(alarm) for alarm in result.get(f"{kind}s", ())] if kind in types else []
            for kind in ("MetricAlarm", "CompositeAlarm")
        }
        return ActionResult({**result, **described})

    return describe


def delete_alarms(original: Any) -> Callable[..., Any]:
    """An alarm is deleted with its tags."""

    def delete(self: CloudWatchBackend, alarm_names: list[str]) -> None:
        for name in alarm_names:
            if name in self.alarms:
                self.tagger.delete_all_tags_for_resource(self.alarms[name].alarm_arn)
        original(self, alarm_names)

    return delete


def put_composite_alarm(_original: Any) -> Callable[..., Any]:
    """moto lacks PutCompositeAlarm; its PutMetricAlarm takes a rule as well."""

    def put(self: CloudWatchResponse) -> ActionResult:
        return self.put_metric_alarm()

    return put


def same_dimensions(_original: Any) -> Callable[..., bool]:
    """Dimensions are the same in any order, however many there are."""

    def are_same(ours: list[Dimension], others: list[Dimension]) -> bool:
        return {(one.name, one.value) for one in ours} == {(one.name, one.value) for one in others}

    return are_same


ALARM_PATCHES: tuple[tuple[Any, str, Callable[[Any], Any]], ...] = (
    (Alarm, "__init__", new_alarm),
    (CloudWatchResponse, "put_composite_alarm", put_composite_alarm),
    (CloudWatchResponse, "describe_alarms", described_alarms),
    (CloudWatchResponse, "describe_alarms_for_metric", described_alarms),
    (CloudWatchBackend, "delete_alarms", delete_alarms),
    (models, "are_dimensions_same", same_dimensions),
)
