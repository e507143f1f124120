"""CloudWatch Logs' queries, whose filters moto leaves out without a word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from werkzeug import Response

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.service import Service
from pedigree.localaws.iam.callers import UseBackend
from pedigree.localaws.services.logs.insights import parse_query, row_of
from pedigree.localaws.services.logs.query_conditions import Row
from pedigree.localaws.services.logs.query_tokens import QueryError

_SERVICE = "logs"
_PLAIN = "fields @message"
_UNSUPPORTED = ("logGroupIdentifiers", "queryLanguage", "limit")


@dataclass(frozen=True)
class LogsOperations:
    """Runs queries; moto keeps their results."""

    _use_backend: UseBackend
    _moto: Service

    def start_query(self, exchange: Exchange) -> Response:
        """Run a query of Logs Insights over the events of groups."""
        members = exchange.members
        for name in _UNSUPPORTED:
            if members.get(name) and not (name == "queryLanguage" and members[name] == "CWLI"):
                raise ServiceError("InvalidParameterException", f"{name} is not supported by the local AWS")
        try:
            query = parse_query(members["queryString"])
        except QueryError as error:
            raise ServiceError("MalformedQueryException", f"Query: {error}") from None
        except RecursionError:
            raise ServiceError("MalformedQueryException", "Query: it is nested too deeply") from None
        exchange.body = json.dumps({**members, "queryString": _PLAIN}).encode()
        answer = self._moto(exchange)
        with self._use_backend(_SERVICE, exchange.region) as backend:
            stored = backend.queries[json.loads(answer.get_data())["queryId"]]
            rows = list(_rows(backend, stored))
        results = query.run(rows)  # without the lock: a query may take its time
        stored.query, stored.results = members["queryString"], results
        return answer


def _rows(backend: Any, query: Any) -> Iterator[Row]:
    for name in query.log_group_names:
        for stream, log_stream in backend.groups[name].streams.items():
            for event in log_stream.events:
                if query.start_time * 1000 <= event.timestamp <= query.end_time * 1000:
                    fields = {"ingestion_time": event.ingestion_time, "id": event.event_id}
                    yield row_of({"message": event.message, "timestamp": event.timestamp, **fields}, stream, name)
