"""What a rule's target gets of an event: all of it, a part, a constant, or the result of a template. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_PATH_STEP = re.compile(r"\.([\w-]+)|\['([^']*)'\]|\[(\d+)\]")
_PLACEHOLDER = re.compile(r"<([\w.-]+)>")
_PREDEFINED = (
    *("aws.events.rule-arn", "aws.events.rule-name", "aws.events.event.ingestion-time"),
    *("aws.events.event", "aws.events.event.json"),
)
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


def unknown_placeholders(transformer: Mapping[str, Any]) -> list[str]:
    """Return the names in a template that neither its paths nor EventBridge define."""
    known = {*(transformer.get("InputPathsMap") or {}), *_PREDEFINED}
    return [name for name in _PLACEHOLDER.findall(transformer.get("InputTemplate", "")) if name not in known]


def _transform(transformer: Mapping[str, Any], event: Mapping[str, Any], rule_arn: str) -> str:
    values = {name: value_at(event, path) for name, path in (transformer.get("InputPathsMap") or {}).items()}
    values |= dict(zip(_PREDEFINED, _predefined(event, rule_arn), strict=True))
    template = transformer["InputTemplate"]
    if template.lstrip().startswith('"'):
        return _fill(template, values, _plain)
    filled = _fill(template, values, _within_json)
    json.loads(filled)  # AWS drops an event without a word if its template does not give JSON
    return filled


def _predefined(event: Mapping[str, Any], rule_arn: str) -> tuple[Any, ...]:
    """Return the values that need no path. Without its detail, an event has one name otherwise."""
    names = {"detail-type": "detailType"}
    without_detail = {names.get(name, name): value for name, value in event.items() if name != "detail"}
    return rule_arn, rule_arn.rpartition("/")[2], event.get("time"), without_detail, event


def _fill(template: str, values: Mapping[str, Any], text: Callable[[Any], str]) -> str:
    """Insert values into a template: as JSON where a placeholder stands alone, as text inside a string."""
    parts, end, is_in_string = [], 0, False
    for match in _PLACEHOLDER.finditer(template):
        if match[1] not in values:
            continue
        before = template[end : match.start()]
        is_in_string ^= len(re.findall(r'(?<!\\)"', before)) % 2 == 1
        value = "" if values[match[1]] is _ABSENT else values[match[1]]
        parts += [before, text(value) if is_in_string else _json(value)]
        end = match.end()
    return "".join([*parts, template[end:]])


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _escaped(text: str) -> str:
    return json.dumps(text)[1:-1]


def _plain(value: Any) -> str:
    """Return a value inside a template that is one text: objects and lists lose their quotes."""
    return _escaped(value if isinstance(value, str) else _json(value).replace('"', ""))


def _within_json(value: Any) -> str:
    """Return a value inside a text of a template that is JSON: objects and lists stay as they are, and end the text."""
    return _escaped(value) if isinstance(value, str) else _json(value)
