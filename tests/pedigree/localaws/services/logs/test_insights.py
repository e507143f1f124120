"""Queries of Logs Insights answer what they ask; what is not followed is refused by its name."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from pedigree.localaws.services.logs.insights import parse_query, row_of
from pedigree.localaws.services.logs.query_conditions import Row
from pedigree.localaws.services.logs.query_tokens import QueryError
from tests.support.local_aws import client

MESSAGES = (
    "start of epoch 1",
    '{"level": "ERROR", "took": 12.5, "user": {"name": "ann"}, "ok": false}',
    '{"level": "INFO", "took": 3, "user": {"name": "ben"}}',
    "loss=0.25 in epoch 2",
    "a/b|c, ERROR",
)


def row(number: int, message: str) -> Row:
    event = {"message": message, "timestamp": 1_700_000_000_000 + 60_000 * number, "ingestion_time": 0, "id": number}
    return row_of(event, "stream", "group")


ROWS = [row(number, message) for number, message in enumerate(MESSAGES)]


def found(query: str) -> list[int]:
    """The numbers of the messages that a query finds, in its order."""
    return [MESSAGES.index(answer["@message"]) for answer in parse_query(query).run(ROWS)]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("@message like /epoch/", {0, 3}),
        ("@message like /epoch [2-9]$/", {3}),
        ("@message =~ /^loss/", {3}),
        ("@message not like /epoch/", {1, 2, 4}),
        ('@message like "a/b|c, "', {4}),
        (r"@message like /a\/b\|c/", {4}),
        ("@message like 'ERROR'", {1, 4}),
        ("@message like /(?i)error/", {1, 4}),
        ('level = "ERROR"', {1}),
        ("level != 'ERROR'", {0, 2, 3, 4}),
        ("took > 3", {1}),
        ("took >= 3", {1, 2}),
        ("took = 12.50", {1}),
        ("took < 100 and level = 'INFO'", {2}),
        ("took < 5 or @message like /loss/", {2, 3}),
        ("not (took < 5 or @message like /loss/)", {0, 1, 4}),
        ("NOT took < 5 AND ispresent(took)", {1}),
        ("user.name in ['ann', \"ben\"]", {1, 2}),
        ("user.name not in ['ann']", {0, 2, 3, 4}),
        ("ispresent(level)", {1, 2}),
        ("`user.name` = 'ann' # a comment", {1}),
        ("@logStream = 'stream' and @log = 'group'", {0, 1, 2, 3, 4}),
    ],
)
def test_a_filter_finds_what_it_says(condition: str, expected: set[int]) -> None:
    assert set(found(f"fields @message | filter {condition}")) == expected


def test_rows_are_sorted_and_limited_in_the_order_of_the_commands() -> None:
    assert found("fields @message") == [4, 3, 2, 1, 0]
    assert found("fields @message | sort @timestamp asc | limit 2") == [0, 1]
    assert found("fields @message | sort took desc, @timestamp asc | limit 3") == [1, 2, 0]
    assert found("filter ispresent(took) | limit 1 | fields @message") == [2]


def test_the_fields_that_are_named_are_shown() -> None:
    (answer,) = parse_query("fields @timestamp, level | filter level = 'ERROR'").run(ROWS)
    assert answer == {"@timestamp": "2023-11-14 22:14:20.000", "level": "ERROR", "@ptr": "1"}
    (answer,) = parse_query("fields @timestamp | filter level = 'ERROR' | display took, ok").run(ROWS)
    assert answer == {"took": "12.5", "ok": "0", "@ptr": "1"}


def test_statistics_are_counted_by_field_and_by_time() -> None:
    run = parse_query("stats count(*) as n, avg(took), max(took) by level | filter ispresent(level) | sort n").run
    assert run(ROWS) == [
        {"level": "INFO", "n": "1", "avg(took)": "3", "max(took)": "3"},
        {"level": "ERROR", "n": "1", "avg(took)": "12.5", "max(took)": "12.5"},
    ]
    assert parse_query("filter took > 100 | stats count()").run(ROWS) == [{"count(*)": "0"}]
    counted = parse_query("stats count(*) by bin(1h)")
    assert sorted(answer["count(*)"] for answer in counted.run(ROWS)) == ["5"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "ends too early"),
        ("parse @message '*' as x", "the command parse is not supported by the local AWS"),
        ("fields @message | dedup @message", "the command dedup is not supported"),
        ("fields strlen(@message)", r"strlen \( is not supported"),
        ("fields @message as m", "@message as is not supported"),
        ("filter strlen(@message) > 2", "the function strlen is not supported"),
        ("filter took + 1 > 2", "is not understood|is not supported"),
        ("filter", "ends too early"),
        ("filter (took > 1", "is expected"),
        ("filter took > 1 took", "'took' is not supported by the local AWS after filter"),
        ("filter @message like /(a+)+$/", "a repetition within a repetition"),
        ("filter @message like /(/", "is no regular expression"),
        ("limit 0", "the limit is '0'"),
        ("limit ten", "the limit is 'ten'"),
        ("stats pct(took, 99)", "the function pct is not supported"),
        ("stats count(*) by bin(5x)", "the period|is not understood|not one like"),
    ],
)
def test_what_is_not_followed_is_refused(query: str, words: str) -> None:
    with pytest.raises(QueryError, match=words):
        parse_query(query)


WORDS = st.sampled_from(
    ("fields", "filter", "sort", "limit", "stats", "|", ",", "(", ")", "like", "not", "and", "/a+/", "'x'", "took", "1",
     "=", ">", "count", "*", "by", "bin", "5m", "@message", "in", "[", "]", "desc", "as", "é", '"')
)  # fmt: skip


@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_any_query_is_run_or_refused(query: str) -> None:
    with contextlib.suppress(QueryError):
        assert len(parse_query(query).run(ROWS)) <= len(ROWS)


def test_boto3_runs_a_query(url: str) -> None:
    logs = client(url, "logs")
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    now = int(time.time())
    events = [{"timestamp": 1000 * now + number, "message": text} for number, text in enumerate(MESSAGES)]
    logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=events)
    around: Mapping[str, Any] = {"logGroupName": "g", "startTime": now - 60, "endTime": now + 60}
    query = "fields @message | filter @message like /epoch/ | sort @timestamp asc"
    started = logs.start_query(queryString=query, **around)
    answer = logs.get_query_results(queryId=started["queryId"])
    texts = [{entry["field"]: entry["value"] for entry in found}["@message"] for found in answer["results"]]
    assert (answer["status"], texts) == ("Complete", [MESSAGES[0], MESSAGES[3]])
    assert logs.describe_queries(logGroupName="g")["queries"][0]["queryString"] == query
    for refused in ("parse @message '*'", "filter " + "(" * 5000):
        with pytest.raises(ClientError, match="MalformedQueryException"):
            logs.start_query(queryString=refused, **around)
