"""When the schedule starts the pipeline, and with which values."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from pedigree.errors import InvalidValueError
from pedigree.schedules import cron
from steps.config import Config, FrozenMapping


def _existing_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidValueError("is no time zone", "write one like Europe/Berlin or UTC") from None
    return name


class ScheduleConfig(Config):
    """An EventBridge schedule of executions."""

    enabled: bool = False
    """true: upsert makes the schedule and keeps it as it is here; false: upsert leaves it alone."""
    expression: Annotated[str, AfterValidator(cron.checked)] = "cron(0 6 ? * MON *)"
    """Or rate(7 days), at(2027-01-31T06:00:00)."""
    timezone: Annotated[str, AfterValidator(_existing_timezone)] = "UTC"
    parameters: FrozenMapping[int | float | Annotated[str, Field(min_length=1, max_length=1024)]] = Field(
        default={}, max_length=200
    )
    """Parameters of scheduled executions that differ from their defaults: Epochs = 10."""
    dead_letter_queue: bool = True
    """Keeps starts that failed."""
    max_retries: Annotated[int, Field(ge=0, le=185)] = 3
    """Attempts after a start that failed."""
    max_event_age_seconds: Annotated[int, Field(ge=60, le=86_400)] = 3600
    """How late an execution may start."""
