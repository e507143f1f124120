"""Evaluates the alarms in moto's state against its metrics, and sets their states."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

from pedigree.localaws.kernel.once_logger import OnceLogger
from pedigree.localaws.services.cloudwatch.alarm_state import ALARM, OK, Alarm, MetricStat, decide_state
from pedigree.localaws.services.cloudwatch.composite_rule import CompositeRuleError, parse
from pedigree.localaws.services.cloudwatch.metric_math import MetricMathError
from pedigree.localaws.services.cloudwatch.statistics import Datapoint, single, statistic

_LOG = logging.getLogger(__name__)
_SERVICE = "cloudwatch"
_OWN_NAMESPACE = "AWS/SageMaker"
_RETENTION_SECONDS = 3 * 3600
_METRIC_KEY = "metric"
OpenBackend: TypeAlias = Callable[[str, str], AbstractContextManager[Any]]
"""Locks and returns moto's backend for a service and a region."""


class AlarmEvaluator:
    """Evaluates all alarms of a region: those on metrics, and then the composite ones."""

    def __init__(
        self, open_backend: OpenBackend, save: Callable[[str], None], region: str, now: Callable[[], dt.datetime]
    ) -> None:
        self._open_backend = open_backend
        self._save = save
        self._region = region
        self._now = now
        self._once = OnceLogger(_LOG)

    def evaluate_all(self) -> None:
        """Set the state of every alarm."""
        now = self._now().timestamp()
        with self._open_backend(_SERVICE, self._region) as backend:
            _remove_old_metrics(backend, now - _RETENTION_SECONDS)
            changes = [self._evaluate(alarm, backend.metric_data, now) for alarm in list(backend.alarms.values())]
            changes += [self._evaluate_rule(alarm, backend.alarms) for alarm in backend.alarms.values() if alarm.rule]
        if any(changes):
            self._save(_SERVICE)

    def metric_value(self, stat: MetricStat, seconds: float) -> float | None:
        """Return a statistic over the last seconds, or None without datapoints."""
        now = self._now().timestamp()
        with self._open_backend(_SERVICE, self._region) as backend:
            datapoints = list(_datapoints(backend.metric_data, stat, now - seconds))
        return statistic(datapoints, stat.statistic)

    def _evaluate(self, moto_alarm: Any, data: Sequence[Any], now: float) -> bool:
        """Evaluate one of moto's alarms, and return whether its state has changed."""
        try:
            alarm = _metric_alarm(moto_alarm)
            if alarm is None:
                return False
            oldest = now - alarm.period * alarm.periods
            datapoints = {key: list(_datapoints(data, stat, oldest)) for key, stat in alarm.metrics.items()}
            state = decide_state(alarm, datapoints, now, moto_alarm.state_value)
        except (MetricMathError, KeyError, ValueError) as error:
            self._once.warning(moto_alarm.name, "alarm %s cannot be evaluated: %s", moto_alarm.name, error)
            return False
        if state.value == moto_alarm.state_value:
            return False
        _LOG.info("alarm %s: %s, because %s", moto_alarm.name, state.value, state.reason)
        moto_alarm.update_state(state.reason, "{}", state.value)
        return True

    def _evaluate_rule(self, moto_alarm: Any, alarms: Mapping[str, Any]) -> bool:
        """Evaluate a composite alarm; one that stands on another composite alarm follows it a moment later."""
        try:
            is_met = parse(moto_alarm.rule).is_met({name: alarm.state_value for name, alarm in alarms.items()})
        except CompositeRuleError as error:
            self._once.warning(moto_alarm.name, "alarm %s cannot be evaluated: %s", moto_alarm.name, error)
            return False
        state = ALARM if is_met else OK
        if state == moto_alarm.state_value:
            return False
        moto_alarm.update_state(f"{moto_alarm.alarm_arn} has a rule that evaluates to {state}", "{}", state)
        return True


def _remove_old_metrics(backend: Any, oldest: float) -> None:
    """Remove old metrics of endpoints, because moto's whole state is saved with every change."""
    data = backend.metric_data
    if data and data[0].namespace == _OWN_NAMESPACE and data[0].timestamp.timestamp() < oldest:
        backend.metric_data = [
            datum for datum in data if datum.namespace != _OWN_NAMESPACE or datum.timestamp.timestamp() >= oldest
        ]


def _metric_alarm(alarm: Any) -> Alarm | None:
    """Convert one of moto's alarms; return None for a composite one."""
    if alarm.rule or not (alarm.metric_name or alarm.metric_data_queries):
        return None
    queries = alarm.metric_data_queries
    stats = {query.id: query.metric_stat for query in queries if query.metric_stat}
    metrics = {key: _query_stat(stat) for key, stat in stats.items()} or {_METRIC_KEY: _alarm_stat(alarm)}
    returned = [query.id for query in queries if str(query.return_data).lower() != "false"] or [_METRIC_KEY]
    periods = int(alarm.evaluation_periods or 1)
    return Alarm(
        metrics,
        returned[0],
        alarm.comparison_operator,
        float(alarm.threshold),
        float(next((stat.period for stat in stats.values()), None) or alarm.period or 60),
        periods,
        int(alarm.datapoints_to_alarm or periods),
        alarm.treat_missing_data or "missing",
        {query.id: query.expression for query in queries if query.expression},
    )


def _query_stat(stat: Any) -> MetricStat:
    return MetricStat(stat.metric.namespace, stat.metric.metric_name, dimensions(stat.metric.dimensions), stat.stat)


def _alarm_stat(alarm: Any) -> MetricStat:
    chosen = alarm.statistic or alarm.extended_statistic
    return MetricStat(alarm.namespace, alarm.metric_name, dimensions(alarm.dimensions), chosen)


def dimensions(listed: Any) -> frozenset[tuple[str, str]]:
    """Return names and values; moto has dimensions as mappings or as objects."""
    return frozenset(
        (dimension["Name"], dimension["Value"]) if isinstance(dimension, Mapping) else (dimension.name, dimension.value)
        for dimension in listed or ()
    )


def _datapoints(data: Sequence[Any], stat: MetricStat, oldest: float) -> Iterator[Datapoint]:
    for datum in data:
        if datum.name != stat.name or datum.namespace != stat.namespace:
            continue
        moment = datum.timestamp.timestamp()
        if moment >= oldest and dimensions(datum.dimensions) == stat.dimensions:
            yield datapoint(datum, moment)


def datapoint(datum: Any, moment: float) -> Datapoint:
    """Return one of moto's data: a value, or a statistic set."""
    if hasattr(datum, "value"):
        return single(moment, datum.value)
    return Datapoint(moment, datum.sample_count, datum.sum, datum.min, datum.max)
