"""What a rule's target gets of an event: all of it, a part, a constant, or the result of a template. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_PATH_STEP = re.compile(r"\.([\w-]+)|\['([^']*)'\]|\[(\d+)\]")
_PLACEHOLDER = re.compile(r"<([\w.-]+)>")
_ABSENT = object()


def render(target: Mapping[str, Any], event: Mapping[str, Any], rule_arn: str) -> str:
    """Return the text that a target gets."""
    if target.get("Input") is not None:
        return str(target["Input"])
    if target.get("InputPath"):
        value = value_at(event, target["InputPath"])
        return json.dumps(None if value is _ABSENT else value)
    if target.get("InputTransformer"):
        return _transform(target["InputTransformer"], event, rule_arn)
    return json.dumps(event)


def value_at(event: Any, path: str) -> Any:
    """Return the value at a path like $.detail.items[0], or a marker if nothing is there."""
    value = event
    for match in _PATH_STEP.finditer(path.removeprefix("$")):
        key = match[1] if match[1] is not None else match[2]
        if match[3] is not None:
            index = int(match[3])
            value = value[index] if isinstance(value, list) and index < len(value) else _ABSENT
        else:
            value = value.get(key, _ABSENT) if isinstance(value, Mapping) else _ABSENT
    return value


def _transform(transformer: Mapping[str, Any], event: Mapping[str, Any], rule_arn: str) -> str:
    values = {name: value_at(event, path) for name, path in (transformer.get("InputPathsMap") or {}).items()}
    values |= {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rpartition("/")[2],
        "aws.events.event.ingestion-time": event.get("time"),
        "aws.events.event": event,
        "aws.events.event.json": event,
    }
    return _fill(transformer["InputTemplate"], values)


def _fill(template: str, values: Mapping[str, Any]) -> str:
    """Insert values into a template: as JSON where a placeholder stands alone, as plain text inside a string."""
    parts, end, is_in_string = [], 0, False
    for match in _PLACEHOLDER.finditer(template):
        if match[1] not in values:
            continue
        before = template[end : match.start()]
        is_in_string ^= len(re.findall(r'(?<!\\)"', before)) % 2 == 1
        parts += [before, _text(values[match[1]], is_in_string=is_in_string)]
        end = match.end()
    return "".join([*parts, template[end:]])


def _text(value: Any, *, is_in_string: bool) -> str:
    if value is _ABSENT:
        return "" if is_in_string else "null"
    if not is_in_string:
        return json.dumps(value)
    text = value if isinstance(value, str) else json.dumps(value)
    return json.dumps(text)[1:-1]
