"""CloudWatch Logs: groups, and the streams in them."""

from __future__ import annotations

from pedigree.localaws.iam.actions.needs import ActionTable, Need

_GROUP = (Need("log-group:{logGroupName}"),)
_STREAM = (Need("log-group:{logGroupName}:log-stream:{logStreamName}"),)
_TAGGED = (Need("{resourceArn}"),)

TABLE = ActionTable(
    "logs",
    "logs",
    {
        **dict.fromkeys(
            (
                *("CreateLogGroup", "DeleteLogGroup", "PutRetentionPolicy", "DeleteRetentionPolicy"),
                *("DescribeLogStreams", "FilterLogEvents", "PutSubscriptionFilter", "DeleteSubscriptionFilter"),
                *("DescribeSubscriptionFilters", "PutMetricFilter", "DeleteMetricFilter", "DescribeMetricFilters"),
            ),
            _GROUP,
        ),
        **dict.fromkeys(("CreateLogStream", "DeleteLogStream", "PutLogEvents", "GetLogEvents"), _STREAM),
        **dict.fromkeys(("TagResource", "UntagResource", "ListTagsForResource"), _TAGGED),
        "StartQuery": (
            Need("log-group:{logGroupName}"),
            Need("log-group:{logGroupNames[]}", only_with="logGroupNames"),
        ),
    },
    tagging="TagResource",
)
