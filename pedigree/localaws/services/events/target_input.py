"""What a rule's target gets of an event: all of it, a part, something else, or what a template makes of it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_PLACE = re.compile(r"\.([\w-]+)|\['([^']*)'\]|\[(\d+)\]")
_PLACEHOLDER = re.compile(r"<([\w.-]+)>")
_ABSENT = object()


def body(target: Mapping[str, Any], event: Mapping[str, Any], rule_arn: str) -> str:
    """The text that a target gets."""
    if target.get("Input") is not None:
        return str(target["Input"])
    if target.get("InputPath"):
        found = at(event, target["InputPath"])
        return json.dumps(None if found is _ABSENT else found)
    if target.get("InputTransformer"):
        return _transformed(target["InputTransformer"], event, rule_arn)
    return json.dumps(event)


def at(event: Any, path: str) -> Any:
    """What stands at a path like $.detail.items[0]; a mark of its own if there is nothing."""
    found = event
    for match in _PLACE.finditer(path.removeprefix("$")):
        key = match[1] if match[1] is not None else match[2]
        if match[3] is not None:
            index = int(match[3])
            found = found[index] if isinstance(found, list) and index < len(found) else _ABSENT
        else:
            found = found.get(key, _ABSENT) if isinstance(found, Mapping) else _ABSENT
    return found


def _transformed(transformer: Mapping[str, Any], event: Mapping[str, Any], rule_arn: str) -> str:
    values = {name: at(event, path) for name, path in (transformer.get("InputPathsMap") or {}).items()}
    values |= {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rpartition("/")[2],
        "aws.events.event.ingestion-time": event.get("time"),
        "aws.events.event": event,
        "aws.events.event.json": event,
    }
    return _filled(transformer["InputTemplate"], values)


def _filled(template: str, values: Mapping[str, Any]) -> str:
    """A template with its values: as JSON where one stands alone, as plain text within a text of the template."""
    done, end, is_text = [], 0, False
    for match in _PLACEHOLDER.finditer(template):
        if match[1] not in values:
            continue
        before = template[end : match.start()]
        is_text ^= len(re.findall(r'(?<!\\)"', before)) % 2 == 1
        done += [before, _written(values[match[1]], is_text=is_text)]
        end = match.end()
    return "".join([*done, template[end:]])


def _written(value: Any, *, is_text: bool) -> str:
    if value is _ABSENT:
        return "" if is_text else "null"
    if not is_text:
        return json.dumps(value)
    text = value if isinstance(value, str) else json.dumps(value)
    return json.dumps(text)[1:-1]
