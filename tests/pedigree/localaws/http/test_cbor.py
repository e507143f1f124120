"""CBOR: RFC 8949's own examples, what is refused, and a client of CloudWatch that speaks it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from pedigree.localaws.http.protocol import cbor
from tests.support.client_protocols import cloudwatch_client
from tests.support.local_aws import KEY, REGION, client

NOW = dt.datetime.now(dt.timezone.utc).replace(microsecond=0)
PATH = "/service/GraniteServiceVersion20100801/operation"


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("00", 0),
        ("1818", 24),
        ("1903e8", 1000),
        ("1b000000e8d4a51000", 1000000000000),
        ("3903e7", -1000),
        ("f93e00", 1.5),
        ("fa47c35000", 100000.0),
        ("fbc010666666666666", -4.1),
        ("f4", False),
        ("f6", None),
        ("c11a514b67b0", 1363896240),
        ("4401020304", "AQIDBA=="),
        ("6449455446", "IETF"),
        ("83010203", [1, 2, 3]),
        ("a26161016162820203", {"a": 1, "b": [2, 3]}),
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
        ("7f657374726561646d696e67ff", "streaming"),
        ("bf6346756ef563416d7421ff", {"Fun": True, "Amt": -2}),
    ],
)
def test_what_the_standard_gives_as_an_example_is_read(content: str, value: Any) -> None:
    assert cbor.decode(bytes.fromhex(content)) == value


@pytest.mark.parametrize(
    "content", ["", "18", "1c", "9b00000000ffffffff", "a10102", "61ff", "0000", "c001", "1f", "bf6161ff", "81" * 200]
)  # fmt: skip
def test_what_is_no_cbor_or_too_much_is_refused(content: str) -> None:
    with pytest.raises(cbor.CborError):
        cbor.decode(bytes.fromhex(content))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(), inner, max_size=5),
)


@given(json_values)
def test_what_is_written_is_read_as_it_was(value: Any) -> None:
    assert cbor.decode(cbor.encode(value)) == value


@given(st.binary(max_size=40))
def test_no_content_fails_otherwise(content: bytes) -> None:
    try:
        cbor.decode(content)
    except cbor.CborError:
        return


@pytest.fixture
def cloudwatch(url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    return cloudwatch_client(url, "smithy-rpc-v2-cbor", monkeypatch)


def test_a_client_that_speaks_cbor_writes_and_reads_metrics_and_alarms(url: str, cloudwatch: Any) -> None:
    data = [{"MetricName": "size", "Timestamp": NOW, "Value": 2.5, "Dimensions": [{"Name": "a", "Value": "é"}]}]
    cloudwatch.put_metric_data(Namespace="own/cbor", MetricData=data)
    metric = {"Namespace": "own/cbor", "MetricName": "size", "Dimensions": data[0]["Dimensions"]}
    span = {"StartTime": NOW - dt.timedelta(minutes=5), "EndTime": NOW + dt.timedelta(minutes=1)}
    ask = {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
    (result,) = cloudwatch.get_metric_data(MetricDataQueries=[ask], **span)["MetricDataResults"]
    assert (result["Values"], result["Timestamps"]) == ([2.5], [NOW.replace(second=0)])
    alarm = {"EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold"}
    cloudwatch.put_metric_alarm(AlarmName="cbor", **metric, Statistic="Sum", Period=60, **alarm)
    (described,) = cloudwatch.describe_alarms(AlarmNames=["cbor"])["MetricAlarms"]
    (same,) = client(url, "cloudwatch").describe_alarms(AlarmNames=["cbor"])["MetricAlarms"]
    assert described == same
    assert cloudwatch.list_metrics(Namespace="own/cbor")["Metrics"] == [metric]


def test_a_client_that_speaks_cbor_reads_refusals(cloudwatch: Any) -> None:
    ask = {"Namespace": "own/cbor", "MetricName": "size", "Statistics": ["Sum"], "Period": 60}
    with pytest.raises(ClientError, match="StartTime must be less than the parameter EndTime") as refusal:
        cloudwatch.get_metric_statistics(**ask, StartTime=NOW, EndTime=NOW)
    error = refusal.value.response["Error"]
    assert (error["Code"], error["QueryErrorCode"]) == ("InvalidParameterValue", "InvalidParameterValueException")
    with pytest.raises(ClientError, match="is not supported by the local AWS"):
        cloudwatch.get_metric_widget_image(MetricWidget="{}")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{PATH}/ListMetrics", b"\x81\x01"),
        (f"{PATH}/ListMetrics", b"\xff"),
        ("/", b"\xa0"),
        ("/service/Other/operation/ListMetrics", b"\xa0"),
    ],
)
def test_a_request_that_cannot_be_read_is_refused_in_cbor(url: str, path: str, body: bytes) -> None:
    headers = {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}
    request = AWSRequest("POST", url + path, headers, body)
    SigV4Auth(Credentials(KEY.id, KEY.secret), "monitoring", REGION).add_auth(request)
    answer = requests.post(url + path, data=body, headers=dict(request.headers), timeout=30)
    assert (answer.status_code, answer.headers["smithy-protocol"]) == (400, "rpc-v2-cbor")
    assert json.dumps(cbor.decode(answer.content)["__type"])
