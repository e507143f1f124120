"""What pydantic found wrong, for whoever wrote the settings: place, key, cause and remedy, one line a problem."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from pipeline.layers import Layer

Details = Mapping[str, Any]
_KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text in quotes",
    "tuple_type": "a list in brackets",
    "mapping_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_CAUSES = {
    "greater_than_equal": "is too small; write {ge} or more",
    "greater_than": "is too small; write more than {gt}",
    "less_than_equal": "is too large; write {le} or less",
    "less_than": "is too large; write less than {lt}",
    "string_too_long": "is too long; keep {max_length} or fewer",
    "string_too_short": "is too short; write {min_length} or more",
    "too_long": "is too long; keep {max_length} or fewer",
    "too_short": "is too short; name {min_length} or more",
    "missing": "is missing; add it",
    "finite_number": "is not finite; write a number",
    "literal_error": "is none of the choices; write {expected}",
    "union_tag_not_found": 'has no type; add type = "continuous", "integer" or "categorical"',
    "union_tag_invalid": "has an unknown type; write {expected_tags}",
    "value_error": "{error}",
}
_ANY_OTHER = "does not hold: {msg}; compare settings.toml"


def described(error: ValidationError, layer: Layer, model: type[BaseModel]) -> list[str]:
    """Each problem once, however many ways pydantic tried to read the value."""
    by_key: dict[str, list[Details]] = {}
    for details in error.errors(include_url=False):
        key = ".".join(_key(details, layer.values))
        by_key.setdefault(key, []).append(dict(details))
    # A member that is wrong makes pydantic count one too few around it: the member is the mistake.
    innermost = {
        key: details for key, details in by_key.items() if not any(one.startswith(f"{key}.") for one in by_key)
    }
    return [f"{layer.place(key)}: {key}{_text(key, details, model)}" for key, details in innermost.items()]


def _key(details: Details, values: Any) -> Iterator[str]:
    """The parts of the location that the user wrote: not the names of the alternatives that pydantic tried."""
    node = values
    for part in details["loc"]:
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            continue
        yield str(part)
    if details["type"] == "missing":
        yield str(details["loc"][-1])


def _text(key: str, found: list[Details], model: type[BaseModel]) -> str:
    first = found[0]
    if first["type"] == "extra_forbidden":
        return f" is no setting; {_nearest(key, model)}"
    kinds = list(dict.fromkeys(_KINDS[details["type"]] for details in found if details["type"] in _KINDS))
    if kinds:
        return f"{_shown(first)} is of the wrong kind; write {' or '.join(kinds)}"
    words = {name: _plain(value) for name, value in first.get("ctx", {}).items()}
    return f"{_shown(first)} {_CAUSES.get(first['type'], _ANY_OTHER).format(msg=first['msg'], **words)}"


def _plain(value: Any) -> Any:
    """A bound as somebody would write it: 1, not 1.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _nearest(key: str, model: type[BaseModel]) -> str:
    *section, name = key.split(".")
    known = sorted(_names([model], section))
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"this section has {', '.join(known)}"


def _names(models: Sequence[Any], section: Sequence[str]) -> set[str]:
    """The settings that a section can have, found by walking the models along its key."""
    if not section:
        return {info.alias or name for model in models for name, info in model.model_fields.items()}
    inner = [
        info.annotation
        for model in models
        for name, info in model.model_fields.items()
        if (info.alias or name) == section[0]
    ]
    direct = [annotation for annotation in inner if isinstance(annotation, type) and issubclass(annotation, BaseModel)]
    within = [found for annotation in inner if annotation not in direct for found in _models_in(annotation)]
    return _names(direct, section[1:]) | (_names(within, section[2:]) if within else set())


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    for argument in get_args(annotation):
        if isinstance(argument, type) and issubclass(argument, BaseModel):
            yield argument
        else:
            yield from _models_in(argument)


def _shown(details: Details) -> str:
    """The value that was given, where it is one value and was given at all."""
    value = details["input"]
    if details["type"] == "missing" or isinstance(value, (Mapping, BaseModel)):
        return ""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return f" = {text if len(text) <= 60 else text[:57] + '…'}"
