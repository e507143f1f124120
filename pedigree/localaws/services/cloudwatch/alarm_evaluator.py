"""Looks at the alarms and metrics that moto keeps, and tells alarms their states."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

from pedigree.localaws.services.cloudwatch import alarm_state
from pedigree.localaws.services.cloudwatch.alarm_state import Alarm, MetricStat
from pedigree.localaws.services.cloudwatch.metric_math import MetricMathError
from pedigree.localaws.services.cloudwatch.statistics import Datapoint, single, statistic

_LOG = logging.getLogger(__name__)
_CLOUDWATCH = "cloudwatch"
_OWN = "AWS/SageMaker"
_KEPT_SECONDS = 3 * 3600
_OWN_ID = "metric"
OpenBackend: TypeAlias = Callable[[str, str], AbstractContextManager[Any]]


class AlarmEvaluator:
    """Evaluates all alarms of a region that are about metrics; a composite one is left as it is."""

    def __init__(
        self, held: OpenBackend, keep: Callable[[str], None], region: str, now: Callable[[], dt.datetime]
    ) -> None:
        self._held = held
        self._keep = keep
        self._region = region
        self._now = now
        self._unreadable: set[str] = set()

    def look(self) -> None:
        """Give every alarm the state that it should have by now."""
        now = self._now().timestamp()
        with self._held(_CLOUDWATCH, self._region) as backend:
            _forget(backend, now - _KEPT_SECONDS)
            changes = [self._look_at(one, backend.metric_data, now) for one in list(backend.alarms.values())]
        if any(changes):
            self._keep(_CLOUDWATCH)

    def number(self, series: MetricStat, seconds: float) -> float | None:
        """What a metric comes to in the last so many seconds."""
        now = self._now().timestamp()
        with self._held(_CLOUDWATCH, self._region) as backend:
            found = _points(backend.metric_data, series, now - seconds)
        return statistic(found, series.statistic)

    def _look_at(self, kept: Any, data: Sequence[Any], now: float) -> bool:
        """Evaluate one; whether that changed it."""
        try:
            alarm = _alarm(kept)
            if alarm is None:
                return False
            oldest = now - alarm.period * alarm.periods
            points = {key: _points(data, series, oldest) for key, series in alarm.series.items()}
            told = alarm_state.state(alarm, points, now, kept.state_value)
        except (MetricMathError, KeyError, ValueError) as error:
            if kept.name not in self._unreadable:
                self._unreadable.add(kept.name)
                _LOG.warning("alarm %s cannot be evaluated: %s", kept.name, error)
            return False
        if told.value == kept.state_value:
            return False
        _LOG.info("alarm %s: %s, as %s", kept.name, told.value, told.reason)
        kept.update_state(told.reason, "{}", told.value)
        return True


def _forget(backend: Any, oldest: float) -> None:
    """Forget what endpoints told long ago: it would be kept anew with every change."""
    data = backend.metric_data
    if data and data[0].namespace == _OWN and data[0].timestamp.timestamp() < oldest:
        backend.metric_data = [one for one in data if one.namespace != _OWN or one.timestamp.timestamp() >= oldest]


def _alarm(kept: Any) -> Alarm | None:
    """What one of moto's alarms looks at; None if it is about other alarms."""
    if kept.rule or not (kept.metric_name or kept.metric_data_queries):
        return None
    queries = kept.metric_data_queries
    stats = {one.id: one.metric_stat for one in queries if one.metric_stat}
    series = {key: _queried(one) for key, one in stats.items()} or {_OWN_ID: _own(kept)}
    returned = [one.id for one in queries if str(one.return_data).lower() != "false"] or [_OWN_ID]
    periods = int(kept.evaluation_periods or 1)
    return Alarm(
        series,
        returned[0],
        kept.comparison_operator,
        float(kept.threshold),
        float(next((one.period for one in stats.values()), None) or kept.period or 60),
        periods,
        int(kept.datapoints_to_alarm or periods),
        kept.treat_missing_data or "missing",
        {one.id: one.expression for one in queries if one.expression},
    )


def _queried(stat: Any) -> MetricStat:
    return MetricStat(stat.metric.namespace, stat.metric.metric_name, _dimensions(stat.metric.dimensions), stat.stat)


def _own(kept: Any) -> MetricStat:
    chosen = kept.statistic or kept.extended_statistic
    return MetricStat(kept.namespace, kept.metric_name, _dimensions(kept.dimensions), chosen)


def _dimensions(told: Any) -> frozenset[tuple[str, str]]:
    """Names and values, however moto has them."""
    return frozenset(
        (one["Name"], one["Value"]) if isinstance(one, Mapping) else (one.name, one.value) for one in told or ()
    )


def _points(data: Sequence[Any], series: MetricStat, oldest: float) -> list[Datapoint]:
    return list(_fitting(data, series, oldest))


def _fitting(data: Sequence[Any], series: MetricStat, oldest: float) -> Iterator[Datapoint]:
    for one in data:
        if one.name != series.name or one.namespace != series.namespace:
            continue
        moment = one.timestamp.timestamp()
        if moment >= oldest and _dimensions(one.dimensions) == series.dimensions:
            yield _point(one, moment)


def _point(one: Any, moment: float) -> Datapoint:
    if hasattr(one, "value"):
        return single(moment, one.value)
    return Datapoint(moment, one.sample_count, one.sum, one.min, one.max)
