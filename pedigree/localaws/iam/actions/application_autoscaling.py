"""Application Auto Scaling: changes are to a target, whose id is not known beforehand; lists take no resource."""

from __future__ import annotations

from pedigree.localaws.iam.actions.needs import ActionTable, Need

_TARGET = (Need("scalable-target/*"),)
_TAGGED = (Need("{ResourceARN}"),)

TABLE = ActionTable(
    "application-autoscaling",
    "application-autoscaling",
    {
        **dict.fromkeys(
            (
                *("RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy", "DeleteScalingPolicy"),
                *("PutScheduledAction", "DeleteScheduledAction"),
            ),
            _TARGET,
        ),
        **dict.fromkeys(("TagResource", "UntagResource", "ListTagsForResource"), _TAGGED),
    },
    keys={
        "application-autoscaling:service-namespace": "ServiceNamespace",
        "application-autoscaling:scalable-dimension": "ScalableDimension",
    },
    passes=("application-autoscaling.amazonaws.com", ("RoleARN",)),
)
