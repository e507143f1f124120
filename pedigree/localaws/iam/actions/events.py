"""EventBridge: rules on buses, and their targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.localaws.http.protocol.call import Call
from pedigree.localaws.iam.actions.needs import ActionTable, Need
from pedigree.localaws.iam.actions.resources import Resources

_RULE = (Need("rule/{RulePath}"),)
_TAGGED = (Need("{ResourceARN}"),)
_DEFAULT_BUS = "default"


def _derive(call: Call, _resources: Resources) -> Mapping[str, Any]:
    """A rule's path: its name on the default bus, else the bus and the name."""
    bus = str(call.members.get("EventBusName") or _DEFAULT_BUS).rpartition("/")[2]
    name = call.members.get("Rule") or call.members.get("Name")
    return {"RulePath": f"{bus}/{name}" if bus != _DEFAULT_BUS else str(name)} if name else {}


TABLE = ActionTable(
    "events",
    "events",
    {
        **dict.fromkeys(
            (
                *("PutRule", "DeleteRule", "DescribeRule", "EnableRule", "DisableRule"),
                *("PutTargets", "RemoveTargets", "ListTargetsByRule"),
            ),
            _RULE,
        ),
        "TagResource": _TAGGED,
        "UntagResource": _TAGGED,
        "ListTagsForResource": _TAGGED,
        "PutEvents": (Need("event-bus/{Entries[].EventBusName|default}"),),
        "CreateEventBus": (Need("event-bus/{Name}"),),
        "DeleteEventBus": (Need("event-bus/{Name}"),),
        "DescribeEventBus": (Need("event-bus/{Name|default}"),),
    },
    keys={"events:TargetArn": "Targets[].Arn"},
    passes=("events.amazonaws.com", ("RoleArn",)),
    tagging="TagResource",
    derive=_derive,
)
