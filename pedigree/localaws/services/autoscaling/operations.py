"""The operation of Application Auto Scaling that moto lacks: DescribeScalingActivities."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.store import Store
from pedigree.localaws.services.autoscaling.activity_log import KIND

_FILTERS = ("ServiceNamespace", "ResourceId", "ScalableDimension")
_PAGE_SIZE = 50
_POSITION = r"[0-9]{1,9}"


@dataclass(frozen=True)
class AutoScalingOperations:
    """Lists what the scaler did, the latest first."""

    _store: Store

    def describe_scaling_activities(self, exchange: Exchange) -> Mapping[str, Any]:
        """Return a page of the activities that match the filters."""
        members = exchange.members
        filters = {member: members[member] for member in _FILTERS if member in members}
        activities = [entry.body for entry in reversed(self._store.entries(KIND))]
        matching = [
            activity for activity in activities if all(activity[name] == value for name, value in filters.items())
        ]
        position = str(members.get("NextToken", "0"))
        if not re.fullmatch(_POSITION, position):
            raise ServiceError("InvalidNextTokenException", "The next token is invalid.")
        end = int(position) + members.get("MaxResults", _PAGE_SIZE)
        more = {"NextToken": str(end)} if end < len(matching) else {}
        return {"ScalingActivities": matching[int(position) : end], **more}
