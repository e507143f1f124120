"""The operations of EventBridge Scheduler in which moto takes any expression and time zone: they are checked first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.http.service import Service
from pedigree.schedules import cron


@dataclass(frozen=True)
class SchedulerOperations:
    """Checks schedules before moto keeps them; all else is moto's."""

    _moto: Service

    def create_schedule(self, exchange: Exchange) -> Response:
        """Keep a schedule that has times."""
        _check(exchange.members)
        return self._moto(exchange)

    def update_schedule(self, exchange: Exchange) -> Response:
        """As with making one."""
        return self.create_schedule(exchange)


def _check(members: Mapping[str, Any]) -> None:
    expression, timezone = members["ScheduleExpression"], members.get("ScheduleExpressionTimezone") or "UTC"
    try:
        cron.parse(expression)
    except ValueError:
        raise InvalidRequestError(f"Invalid Schedule Expression {expression}.") from None
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidRequestError(f"Invalid Schedule Expression Timezone {timezone}.") from None
    start, end = members.get("StartDate"), members.get("EndDate")
    if isinstance(start, (int, float)) and isinstance(end, (int, float)) and end <= start:
        raise InvalidRequestError("The EndDate must come after the StartDate.")
