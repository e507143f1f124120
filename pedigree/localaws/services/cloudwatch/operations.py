"""CloudWatch's operations on metrics. moto keeps the data; here they are read by all their dimensions and checked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.service import Service
from pedigree.localaws.iam.callers import UseBackend
from pedigree.localaws.services.cloudwatch import composite_rule, metric_queries
from pedigree.localaws.services.cloudwatch.alarm_evaluator import datapoint, dimensions
from pedigree.localaws.services.cloudwatch.composite_rule import CompositeRuleError
from pedigree.localaws.services.cloudwatch.metric_math import MetricMathError
from pedigree.localaws.services.cloudwatch.metric_queries import NO_UNIT, Datum, TimeSpan
from pedigree.localaws.services.cloudwatch.statistics import statistic
from pedigree.localaws.services.cloudwatch.value_pages import page

_SERVICE = "cloudwatch"
_MOST_DATAPOINTS = 1440
_QUERY_LANGUAGES = ("SELECT", "SEARCH", "METRICS")
_EXCLUSIVE = (("Value", "Values"), ("Value", "StatisticValues"))


@dataclass(frozen=True)
class CloudWatchOperations:
    """Answers for metrics."""

    _use_backend: UseBackend
    _moto: Service

    def put_metric_data(self, exchange: Exchange) -> Response:
        """Store data that say one thing each."""
        for number, datum in enumerate(exchange.members.get("MetricData") or (), 1):
            _check_datum(datum, f"MetricData.member.{number}")
        return self._moto(exchange)

    def put_composite_alarm(self, exchange: Exchange) -> Response:
        """Store an alarm whose rule can be read and names alarms that exist."""
        try:
            rule = composite_rule.parse(exchange.members["AlarmRule"])
        except CompositeRuleError as error:
            raise ServiceError("ValidationException", f"Error in AlarmRule: {error}.") from None
        with self._use_backend(_SERVICE, exchange.region) as backend:
            missing = sorted(rule.names - backend.alarms.keys())
        if missing:
            words = (
                f"Could not save the composite alarm as alarms [{', '.join(missing)}] in the alarm rule do not exist"
            )
            raise ServiceError("ValidationException", words)
        return self._moto(exchange)

    def get_metric_data(self, exchange: Exchange) -> Response | Mapping[str, Any]:
        """Answer queries; those in a language of their own are left to moto."""
        members = exchange.members
        queries = members["MetricDataQueries"]
        if any(str(query.get("Expression", "")).lstrip().upper().startswith(_QUERY_LANGUAGES) for query in queries):
            return self._moto(exchange)
        start, end = _seconds(members["StartTime"]), _seconds(members["EndTime"])
        _check_span(start, end)
        try:
            series = metric_queries.all_series(self._data(exchange.region), queries, start, end)
        except MetricMathError as error:
            raise ServiceError("ValidationException", f"Error in expression: {error}") from None
        labels = metric_queries.labels(queries)
        descends = members.get("ScanBy") != "TimestampAscending"
        shown = [query["Id"] for query in queries if query.get("ReturnData") is not False]
        values = {key: sorted(series[key].items(), reverse=descends) for key in shown}
        pages, token = page(values, members.get("NextToken"), members.get("MaxDatapoints"))
        results = [_result(key, labels[key], pages[key], is_complete=not token) for key in shown]
        return {"Messages": [], "MetricDataResults": results, "NextToken": token}

    def get_metric_statistics(self, exchange: Exchange) -> Mapping[str, Any]:
        """Return statistics of one metric by period, and for each unit that its data have."""
        members = exchange.members
        names = [*(members.get("Statistics") or ()), *(members.get("ExtendedStatistics") or ())]
        if not names:
            raise _combination("Must specify either Statistics or ExtendedStatistics")
        span = TimeSpan(_seconds(members["StartTime"]), _seconds(members["EndTime"]), int(members["Period"]))
        _check_span(span.start, span.end)
        _check_number(span)
        data = metric_queries.of_metric(self._data(exchange.region), members, members.get("Unit"))
        points = [
            point
            for unit in sorted({datum.unit for datum in data})
            for point in _statistics([datum for datum in data if datum.unit == unit], span, names, unit)
        ]
        return {"Label": members["MetricName"], "Datapoints": points}

    def _data(self, region: str) -> list[Datum]:
        with self._use_backend(_SERVICE, region) as backend:
            return [_datum(datum) for datum in backend.get_all_metrics()]


def _datum(datum: Any) -> Datum:
    point = datapoint(datum, datum.timestamp.timestamp())
    return Datum(datum.namespace, datum.name, dimensions(datum.dimensions), datum.unit or NO_UNIT, point)


def _seconds(value: Any) -> float:
    """Return a time of a request as seconds; one without a zone is in UTC."""
    if isinstance(value, (int, float)):
        return float(value)
    moment = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)).timestamp()


def _moment(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.timezone.utc)


def _result(key: str, label: str, values: Sequence[tuple[float, float]], *, is_complete: bool) -> Mapping[str, Any]:
    return {
        "Id": key,
        "Label": label,
        "Timestamps": [_moment(moment) for moment, _ in values],
        "Values": [value for _, value in values],
        "StatusCode": "Complete" if is_complete else "PartialData",
    }


def _statistics(data: Sequence[Datum], span: TimeSpan, names: Sequence[str], unit: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for moment, points in metric_queries.by_period(data, span).items():
        values = {name: statistic(points, name) for name in names}
        extended = {name: value for name, value in values.items() if name.startswith("p") and value is not None}
        plain = {name: value for name, value in values.items() if not name.startswith("p")}
        found.append({"Timestamp": _moment(moment), "Unit": unit, **plain, "ExtendedStatistics": extended or None})
    return found


def _check_span(start: float, end: float) -> None:
    if start >= end:
        words = "The parameter StartTime must be less than the parameter EndTime."
        raise ServiceError("InvalidParameterValue", words)


def _check_number(span: TimeSpan) -> None:
    number = int((span.end - span.start) // span.period)
    if number > _MOST_DATAPOINTS:
        raise _combination(
            f"You have requested up to {number} datapoints, which exceeds the limit of {_MOST_DATAPOINTS}. You may "
            "reduce the datapoints requested by increasing Period, or decreasing the time range."
        )


def _check_datum(datum: Mapping[str, Any], place: str) -> None:
    for one, other in _EXCLUSIVE:
        if datum.get(one) is not None and datum.get(other):
            are_exclusive = "are mutually exclusive and you have specified both."
            raise _combination(f"The parameters {place}.{one} and {place}.{other} {are_exclusive}")


def _combination(message: str) -> ServiceError:
    return ServiceError("InvalidParameterCombination", message)
