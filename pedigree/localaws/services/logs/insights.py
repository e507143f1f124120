"""CloudWatch Logs Insights: runs queries of the commands fields, display, filter, sort, limit and stats.

What is not followed is refused by its name, so that no query answers something else than it asks.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pedigree.localaws.services.logs.query_conditions import Row, number, parse_condition
from pedigree.localaws.services.logs.query_tokens import QueryError, Tokens

Rows: TypeAlias = Sequence[Row]
Step: TypeAlias = Callable[[Rows], Rows]
TIMESTAMP, MESSAGE, POINTER = "@timestamp", "@message", "@ptr"
_MOST = 10_000
_PERIODS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_SUMMARIES: Mapping[str, Callable[[list[Any]], Any]] = {
    "count": len,
    "count_distinct": lambda values: len(set(map(str, values))),
    "sum": lambda values: sum(_numbers(values)),
    "avg": lambda values: sum(_numbers(values)) / len(_numbers(values)) if _numbers(values) else None,
    "min": lambda values: min(_numbers(values), default=None),
    "max": lambda values: max(_numbers(values), default=None),
}


@dataclass(frozen=True)
class Query:
    """A query, parsed: what is done to the rows, and which fields of them are shown."""

    steps: tuple[Step, ...]
    shown: tuple[str, ...]

    def run(self, rows: Rows) -> list[dict[str, str]]:
        """The rows of the answer, as texts; the newest first unless the query sorts."""
        rows = sorted(rows, key=lambda row: row[TIMESTAMP], reverse=True)
        for step in self.steps:
            rows = step(rows)
        return [dict(self._texts(row)) for row in rows[:_MOST]]

    def _texts(self, row: Row) -> Iterator[tuple[str, str]]:
        for name in (*(self.shown or row), *([POINTER] if self.shown and POINTER in row else [])):
            if row.get(name) is not None:
                yield name, _written(name, row[name])


def parse_query(text: str) -> Query:
    """Parse a query; QueryError if it is malformed, or has what is not supported."""
    tokens, steps, shown, is_summary = Tokens(text), [], dict[str, None](), False
    while True:
        command = tokens.next().lower()
        if command in ("fields", "display"):
            shown = {**({} if command == "display" else shown), **dict.fromkeys(_names(tokens))}
        elif command == "stats":
            steps.append(_stats(tokens))
            shown, is_summary = {}, True
        elif command in _COMMANDS:
            steps.append(_COMMANDS[command](tokens))
        else:
            raise QueryError(f"the command {command} is not supported by the local AWS")
        if not tokens.take("|"):
            break
    if tokens.peek():
        raise QueryError(f"{tokens.peek()!r:.60} is not supported by the local AWS after {command}")
    return Query(tuple(steps), tuple(shown) or (() if is_summary else (TIMESTAMP, MESSAGE)))


def row_of(event: Mapping[str, Any], stream: str, group: str) -> Row:
    """The fields of an event: those of all events, and those that are found in a message of JSON."""
    try:
        document = json.loads(event["message"]) if event["message"].lstrip().startswith("{") else {}
    except (ValueError, RecursionError):
        document = {}
    return {
        **dict(_flat(document, "")),
        TIMESTAMP: event["timestamp"],
        "@ingestionTime": event["ingestion_time"],
        MESSAGE: event["message"],
        "@logStream": stream,
        "@log": group,
        POINTER: event["id"],
    }


def _flat(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        name = f"{place}.{key}" if place else str(key)
        if isinstance(inner, (dict, list)):
            yield from _flat(inner, name)
        else:
            yield name, inner


def _names(tokens: Tokens) -> Iterator[str]:
    while True:
        name = tokens.name()
        if tokens.peek() == "(" or tokens.peek().lower() == "as":
            raise QueryError(f"{name} {tokens.peek()} is not supported by the local AWS: name fields only")
        yield name
        if not tokens.take(","):
            return


def _filter(tokens: Tokens) -> Step:
    holds = parse_condition(tokens)
    return lambda rows: [row for row in rows if holds(row)]


def _sort(tokens: Tokens) -> Step:
    keys = []
    while True:
        keys.append((tokens.name(), not tokens.take_word("asc")))
        tokens.take_word("desc")
        if not tokens.take(","):
            break

    def step(rows: Rows) -> Rows:
        for name, is_descending in reversed(keys):
            rows = sorted(rows, key=lambda row, name=name: _order(row.get(name)), reverse=is_descending)  # type: ignore[misc]
        return rows

    return step


def _order(value: Any) -> tuple[int, float, str]:
    """Missing values come first, then numbers, then texts."""
    if value is None:
        return 0, 0.0, ""
    as_number = number(value)
    return (1, as_number, "") if as_number is not None else (2, 0.0, str(value))


def _limit(tokens: Tokens) -> Step:
    count = tokens.next()
    if not count.isdecimal() or not 1 <= int(count) <= _MOST:
        raise QueryError(f"the limit is {count!r:.20}, not a number from 1 to {_MOST}")
    return lambda rows: rows[: int(count)]


@dataclass(frozen=True)
class _Summary:
    name: str
    function: Callable[[list[Any]], Any]
    field: str

    def of(self, rows: Rows) -> Any:
        values = [1 if self.field == "*" else row.get(self.field) for row in rows]
        return self.function([value for value in values if value is not None])


def _stats(tokens: Tokens) -> Step:
    summaries = [_summary(tokens)]
    while tokens.take(","):
        summaries.append(_summary(tokens))
    keys = [_key(tokens)] if tokens.take_word("by") else []
    while keys and tokens.take(","):
        keys.append(_key(tokens))

    def step(rows: Rows) -> Rows:
        groups: dict[tuple[Any, ...], list[Row]] = {} if keys else {(): []}
        for row in rows:
            groups.setdefault(tuple(value(row) for _, value in keys), []).append(row)
        names = [name for name, _ in keys]
        return [
            {**dict(zip(names, group, strict=True)), **{summary.name: summary.of(inside) for summary in summaries}}
            for group, inside in groups.items()
        ]

    return step


def _summary(tokens: Tokens) -> _Summary:
    function = tokens.name().lower()
    if function not in _SUMMARIES:
        raise QueryError(f"the function {function} is not supported by the local AWS")
    tokens.expect("(")
    field = "*" if function == "count" and (tokens.take("*") or tokens.peek() == ")") else tokens.name()
    tokens.expect(")")
    name = tokens.name() if tokens.take_word("as") else f"{function}({field})"
    return _Summary(name, _SUMMARIES[function], field)


def _key(tokens: Tokens) -> tuple[str, Callable[[Row], Any]]:
    """What rows are grouped by: a field, or a period of time."""
    name = tokens.name()
    if name.lower() != "bin" or not tokens.take("("):
        return name, lambda row: row.get(name)
    period = tokens.next()
    count = period.rstrip("msdh")
    if not count.isdecimal() or period[len(count) :] not in _PERIODS or not int(count):
        raise QueryError(f"the period {period!r:.20} is not one like 5m")
    tokens.expect(")")
    length = int(count) * _PERIODS[period[len(count) :]]
    return f"bin({period})", lambda row: row[TIMESTAMP] // length * length


def _numbers(values: Iterable[Any]) -> list[float]:
    return [found for value in values if (found := number(value)) is not None]


def _written(name: str, value: Any) -> str:
    if name in (TIMESTAMP, "@ingestionTime") or name.startswith("bin("):
        moment = dt.datetime.fromtimestamp(value / 1000, dt.timezone.utc)
        return f"{moment:%Y-%m-%d %H:%M:%S}.{value % 1000:03d}"
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:g}" if isinstance(value, float) else str(value)


_COMMANDS: Mapping[str, Callable[[Tokens], Step]] = {"filter": _filter, "sort": _sort, "limit": _limit}
