"""Metrics through boto3: what is read of them, its labels and units, and the words in which requests are refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.client_protocols import cloudwatch_client
from tests.support.local_aws import client

NOW = dt.datetime.now(dt.timezone.utc).replace(second=10, microsecond=0)
MINUTE = dt.timedelta(minutes=1)
SPAN = {"StartTime": NOW - 5 * MINUTE, "EndTime": NOW + MINUTE}


def put(url: str, namespace: str, *values: float, **more: Any) -> None:
    data = [{"MetricName": "size", "Timestamp": NOW, "Value": value, **more} for value in values]
    client(url, "cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)


def query(namespace: str, key: str, stat: str = "Sum", period: int = 60, **more: Any) -> Mapping[str, Any]:
    metric = {"Namespace": namespace, "MetricName": "size", "Dimensions": more.pop("Dimensions", [])}
    unit = {"Unit": more.pop("Unit")} if "Unit" in more else {}
    return {"Id": key, "MetricStat": {"Metric": metric, "Stat": stat, "Period": period, **unit}, **more}


def results(url: str, *queries: Mapping[str, Any], **more: Any) -> list[Any]:
    answer = client(url, "cloudwatch").get_metric_data(MetricDataQueries=list(queries), **SPAN, **more)
    assert answer["Messages"] == []
    return list(answer["MetricDataResults"])


def refused(url: str, operation: str, **members: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refusal:
        getattr(client(url, "cloudwatch"), operation)(**members)
    error = refusal.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_period_begins_at_a_full_minute(url: str) -> None:
    put(url, "own/minute", 1, 2)
    (result,) = results(url, query("own/minute", "m"))
    assert result["Timestamps"] == [NOW.replace(second=0)]
    assert (result["Values"], result["StatusCode"]) == ([3.0], "Complete")


def test_a_metric_is_what_has_all_of_its_dimensions(url: str) -> None:
    kind = [{"Name": "kind", "Value": "a"}]
    put(url, "own/dimensions", 4, Dimensions=kind)
    without, with_kind = results(url, query("own/dimensions", "m"), query("own/dimensions", "n", Dimensions=kind))
    assert (without["Values"], with_kind["Values"]) == ([], [4.0])


def test_a_label_says_what_differs_between_the_queries(url: str) -> None:
    put(url, "own/labels", 1)
    name = "own/labels"

    def labels(*queries: Mapping[str, Any]) -> list[str]:
        return [result["Label"] for result in results(url, *queries)]

    assert labels(query(name, "a")) == ["size"]
    assert labels(query(name, "a"), query(name, "b", "Maximum")) == ["size Sum", "size Maximum"]
    assert labels(query(name, "a"), query(name, "b", period=300)) == ["size 60", "size 300"]
    assert labels(query(name, "a"), query(name, "b", "p90", 300)) == ["size Sum 60", "size p90 300"]
    assert labels(query(name, "a", Label="mine")) == ["mine"]


def test_an_expression_is_computed_at_each_moment(url: str) -> None:
    put(url, "own/math", 3)
    parts = (query("own/math", "a", ReturnData=False), query("own/math", "n", "SampleCount", ReturnData=False))
    (result,) = results(url, *parts, {"Id": "e", "Expression": "100 * n / a"})
    assert (result["Id"], result["Label"], [round(value, 3) for value in result["Values"]]) == ("e", "e", [33.333])
    bad = [*parts, {"Id": "e", "Expression": "nothing + 1"}]
    assert refused(url, "get_metric_data", MetricDataQueries=bad, **SPAN)[0] == "ValidationError"


def test_results_come_in_pages(url: str) -> None:
    cloudwatch = client(url, "cloudwatch")
    data = [{"MetricName": "size", "Timestamp": NOW - number * MINUTE, "Value": number} for number in range(3)]
    cloudwatch.put_metric_data(Namespace="own/pages", MetricData=data)
    ask = {"MetricDataQueries": [query("own/pages", "m")], "MaxDatapoints": 2, **SPAN}
    first = cloudwatch.get_metric_data(**ask)
    (result,) = first["MetricDataResults"]
    assert (result["Values"], result["StatusCode"]) == ([0.0, 1.0], "PartialData")
    second = cloudwatch.get_metric_data(**ask, NextToken=first["NextToken"])
    assert second["MetricDataResults"][0]["Values"] == [2.0]
    assert "NextToken" not in second
    ascending = results(url, query("own/pages", "m"), ScanBy="TimestampAscending")
    assert ascending[0]["Values"] == [2.0, 1.0, 0.0]


def test_statistics_are_of_one_unit_each(url: str) -> None:
    put(url, "own/units", 1, Unit="Seconds")
    put(url, "own/units", 7)
    ask = {"Namespace": "own/units", "MetricName": "size", "Period": 60, **SPAN}
    cloudwatch = client(url, "cloudwatch")
    points = cloudwatch.get_metric_statistics(**ask, Statistics=["Sum"], ExtendedStatistics=["p50"])["Datapoints"]
    assert {point["Unit"]: point["Sum"] for point in points} == {"Seconds": 1.0, "None": 7.0}
    assert [point["ExtendedStatistics"]["p50"] for point in points] == [7.0, 1.0]
    (only,) = cloudwatch.get_metric_statistics(**ask, Statistics=["Maximum"], Unit="Seconds")["Datapoints"]
    assert only["Maximum"] == 1.0


def test_requests_for_too_much_or_for_nothing_are_refused(url: str) -> None:
    ask = {"Namespace": "own/none", "MetricName": "size", "Statistics": ["Sum"]}
    day = {"StartTime": NOW, "EndTime": NOW + 1440 * MINUTE}
    assert refused(url, "get_metric_statistics", **ask, **day, Period=1) == (
        "InvalidParameterCombination",
        "You have requested up to 86400 datapoints, which exceeds the limit of 1440. You may reduce the datapoints "
        "requested by increasing Period, or decreasing the time range.",
    )
    assert refused(url, "get_metric_statistics", **ask, StartTime=NOW, EndTime=NOW, Period=60) == (
        "InvalidParameterValue",
        "The parameter StartTime must be less than the parameter EndTime.",
    )
    assert refused(url, "get_metric_data", MetricDataQueries=[], NextToken="?", **SPAN)[0] == "InvalidNextToken"


def test_data_say_one_thing(url: str) -> None:
    datum = {"MetricName": "size", "Value": 1.0, "Values": [1.0]}
    assert refused(url, "put_metric_data", Namespace="own/both", MetricData=[datum]) == (
        "InvalidParameterCombination",
        "The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you have "
        "specified both.",
    )


def test_an_alarm_begins_without_data_and_ends_with_its_tags(url: str) -> None:
    cloudwatch = client(url, "cloudwatch")
    tags = [{"Key": "a", "Value": "1"}]
    watched = {"MetricName": "size", "Namespace": "own/alarm", "Statistic": "Sum", "Period": 60}
    limit = {"EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
    cloudwatch.put_metric_alarm(AlarmName="quiet", Tags=tags, **watched, **limit)
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=["quiet"])["MetricAlarms"]
    assert (alarm["StateValue"], alarm["AlarmName"]) == ("INSUFFICIENT_DATA", "quiet")
    assert alarm["StateTransitionedTimestamp"] == alarm["StateUpdatedTimestamp"]
    assert {"Metrics", "StateReasonData"} & alarm.keys() == set()
    cloudwatch.delete_alarms(AlarmNames=["quiet"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"] == []


def test_a_metric_with_several_dimensions_is_listed_once(url: str) -> None:
    two = [{"Name": name, "Value": "v"} for name in ("a", "b")]
    put(url, "own/list", 1, Dimensions=two)
    put(url, "own/list", 2, Dimensions=two)
    (metric,) = client(url, "cloudwatch").list_metrics(Namespace="own/list")["Metrics"]
    assert metric["Dimensions"] == two


def test_the_older_protocol_is_answered_in_its_own_form(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    older = cloudwatch_client(url, "query", monkeypatch)
    put(url, "own/older", 5)
    answer = older.get_metric_data(MetricDataQueries=[query("own/older", "m")], **SPAN)
    assert answer["MetricDataResults"][0]["Values"] == [5.0]
    ask = {"Namespace": "own/older", "MetricName": "size", "Statistics": ["Sum"], "Period": 60}
    with pytest.raises(ClientError, match="StartTime must be less than the parameter EndTime") as refusal:
        older.get_metric_statistics(**ask, StartTime=NOW, EndTime=NOW)
    assert refusal.value.response["Error"]["Code"] == "InvalidParameterValue"
