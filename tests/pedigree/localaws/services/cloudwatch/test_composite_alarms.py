"""Composite alarms: their rules, and that they follow the alarms in them."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from pedigree.localaws.services.cloudwatch.composite_rule import CompositeRuleError, parse
from tests.support.local_aws import client
from tests.support.waiting import until

STATES = {"hot": "ALARM", "cold": "OK", "new": "INSUFFICIENT_DATA"}


@pytest.mark.parametrize(
    ("rule", "is_met"),
    [
        ('ALARM("hot")', True),
        ("ALARM(hot)", True),
        ('ALARM("arn:aws:cloudwatch:us-east-1:123456789012:alarm:hot")', True),
        ("OK(hot)", False),
        ("INSUFFICIENT_DATA(new) AND OK(cold)", True),
        ("ALARM(cold) OR ALARM(hot) AND NOT OK(hot)", True),
        ("(ALARM(cold) OR ALARM(hot)) AND NOT ALARM(hot)", False),
        ("NOT (ALARM(cold) OR FALSE)", True),
        ("TRUE", True),
        ("ALARM(gone)", False),
    ],
)
def test_a_rule_is_met_or_not(rule: str, is_met: bool) -> None:
    assert parse(rule).is_met(STATES) is is_met


@pytest.mark.parametrize("rule", ["", "ALARM", "ALARM()", "ALARM(a) AND", "(ALARM(a)", "ALARM(a) ALARM(b)", "hot"])
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(CompositeRuleError):
        parse(rule)


def test_a_composite_alarm_follows_the_alarms_in_its_rule(url: str) -> None:
    cloudwatch = client(url, "cloudwatch")
    limit = {"EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold"}
    watched = {"Namespace": "own/composite", "MetricName": "size", "Statistic": "Sum", "Period": 60}
    cloudwatch.put_metric_alarm(AlarmName="part", **watched, **limit)
    cloudwatch.put_composite_alarm(AlarmName="whole", AlarmRule='ALARM("part")', AlarmDescription="of a test")

    def state() -> str:
        found = cloudwatch.describe_alarms(AlarmNames=["whole"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
        return str(found[0]["StateValue"])

    until(state, "OK")
    cloudwatch.put_metric_data(Namespace="own/composite", MetricData=[{"MetricName": "size", "Value": 5.0}])
    until(state, "ALARM")
    assert cloudwatch.describe_alarms(AlarmNames=["whole"])["CompositeAlarms"] == []
    with pytest.raises(ClientError, match=r"as alarms \[gone\] in the alarm rule do not exist"):
        cloudwatch.put_composite_alarm(AlarmName="other", AlarmRule="ALARM(gone)")
    with pytest.raises(ClientError, match="Error in AlarmRule"):
        cloudwatch.put_composite_alarm(AlarmName="other", AlarmRule="ALARM(part) AND")
