"""EventBridge Scheduler's operations that moto does not validate: expressions, time zones and dates."""

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
    """Validates schedules before moto stores them."""

    _moto: Service

    def create_schedule(self, exchange: Exchange) -> Response:
        """Store a schedule if it is valid."""
        _validate(exchange.members)
        return self._moto(exchange)

    def update_schedule(self, exchange: Exchange) -> Response:
        """Replace a schedule if the new one is valid."""
        return self.create_schedule(exchange)


def _validate(members: Mapping[str, Any]) -> None:
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
