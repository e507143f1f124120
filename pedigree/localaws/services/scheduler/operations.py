"""EventBridge Scheduler over HTTP: moto takes any expression and any time zone; here they are checked before."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pedigree.localaws.http.protocol.documents import document
from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.http.replies import read, refused
from pedigree.localaws.http.chain import Application, Environ, StartResponse
from pedigree.schedules import cron

_PATH = re.compile(r"/schedules/[^/]+")
_LARGEST = 1 << 20


class SchedulesApi:
    """Scheduler over HTTP; everything else is moto's."""

    def __init__(self, others: Application) -> None:
        self._others = others

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The answer to a request."""
        if environ["REQUEST_METHOD"] in ("POST", "PUT") and _PATH.fullmatch(environ["PATH_INFO"]):
            try:
                body = read(environ, _LARGEST)
                _check(document(body))
            except ServiceError as error:
                return refused(error)(environ, start_response)
            environ["wsgi.input"] = io.BytesIO(body)
        return self._others(environ, start_response)


def _check(asked: Mapping[str, Any]) -> None:
    expression, timezone = asked.get("ScheduleExpression"), asked.get("ScheduleExpressionTimezone") or "UTC"
    try:
        cron.parse(str(expression))
    except ValueError:
        raise InvalidRequestError(f"Invalid Schedule Expression {expression}.") from None
    try:
        ZoneInfo(str(timezone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidRequestError(f"Invalid Schedule Expression Timezone {timezone}.") from None
    if not isinstance(asked.get("Target"), Mapping) or not asked["Target"].get("Arn"):
        raise InvalidRequestError("Invalid request provided: a schedule needs a Target with an Arn.")
    start, end = asked.get("StartDate"), asked.get("EndDate")
    if isinstance(start, (int, float)) and isinstance(end, (int, float)) and end <= start:
        raise InvalidRequestError("The EndDate must come after the StartDate.")
