"""EventBridge Scheduler: schedules, each in a group."""

from __future__ import annotations

from pedigree.localaws.iam.actions.needs import ActionTable, Need

_SCHEDULE = (Need("schedule/{GroupName|default}/{Name}"),)
_GROUP = (Need("schedule-group/{Name}"),)
_TAGGED = (Need("{ResourceArn}"),)

TABLE = ActionTable(
    "scheduler",
    "scheduler",
    {
        **dict.fromkeys(("CreateSchedule", "DeleteSchedule", "GetSchedule", "UpdateSchedule"), _SCHEDULE),
        **dict.fromkeys(("CreateScheduleGroup", "DeleteScheduleGroup", "GetScheduleGroup"), _GROUP),
        **dict.fromkeys(("TagResource", "UntagResource", "ListTagsForResource"), _TAGGED),
    },
    passes=("scheduler.amazonaws.com", ("Target.RoleArn",)),
    tagging="TagResource",
)
