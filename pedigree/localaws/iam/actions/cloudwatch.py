"""CloudWatch: alarms have names; metrics have no ARN, but their namespace is a condition key."""

from __future__ import annotations

from pedigree.localaws.iam.actions.needs import ActionTable, Need

_ALARMS = (Need("alarm:{AlarmNames[]}"),)
_TAGGED = (Need("{ResourceARN}"),)

TABLE = ActionTable(
    "cloudwatch",
    "cloudwatch",
    {
        "PutMetricAlarm": (Need("alarm:{AlarmName}"),),
        "PutCompositeAlarm": (Need("alarm:{AlarmName}"),),
        "SetAlarmState": (Need("alarm:{AlarmName}"),),
        **dict.fromkeys(("DeleteAlarms", "EnableAlarmActions", "DisableAlarmActions"), _ALARMS),
        "PutMetricData": (Need(keys={"cloudwatch:namespace": "Namespace"}),),
        **dict.fromkeys(("TagResource", "UntagResource", "ListTagsForResource"), _TAGGED),
        "GetDashboard": (Need("arn:aws:cloudwatch::*:dashboard/{DashboardName}"),),
        "PutDashboard": (Need("arn:aws:cloudwatch::*:dashboard/{DashboardName}"),),
    },
    tagging="TagResource",
)
