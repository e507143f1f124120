"""Turns pydantic's errors into ours: place, key, cause and remedy, one for each key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from pedigree.errors import InvalidValueError
from pedigree.language.near import suggest
from pedigree.language.text import brief
from pipeline.settings.errors import InvalidSettingError
from pipeline.settings.layers import Layer

Details = Mapping[str, Any]
_TYPES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text in quotes",
    "string_unicode": "text in quotes",
    "tuple_type": "a list in brackets",
    "mapping_type": "a table",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_CAUSES = {
    "greater_than_equal": ("is too small", "write {ge} or more"),
    "greater_than": ("is too small", "write more than {gt}"),
    "less_than_equal": ("is too large", "write {le} or less"),
    "less_than": ("is too large", "write less than {lt}"),
    "string_too_long": ("is too long", "keep {max_length} or fewer"),
    "string_too_short": ("is too short", "write {min_length} or more"),
    "too_long": ("is too long", "keep {max_length} or fewer"),
    "too_short": ("is too short", "name {min_length} or more"),
    "missing": ("is missing", "add it"),
    "literal_error": ("is not one of the choices", "write {expected}"),
    "union_tag_not_found": ("has no type", 'add type = "continuous", "integer" or "categorical"'),
    "union_tag_invalid": ("has an unknown type", "write {expected_tags}"),
}
_ANY_OTHER = ("is not valid: {msg}", "compare docs/settings.toml")


def explain(error: ValidationError, layer: Layer, model: type[BaseModel]) -> list[InvalidSettingError]:
    """A mistake for each key, even if pydantic tried to read the value in several ways."""
    by_key: dict[str, list[Details]] = {}
    for details in error.errors(include_url=False):
        key = ".".join(_key(details, layer.values))
        by_key.setdefault(key, []).append(dict(details))
    # A wrong member makes pydantic count one too few in the table around it: the mistake is the member.
    innermost = {
        key: details for key, details in by_key.items() if not any(other.startswith(f"{key}.") for other in by_key)
    }
    return [_invalid_setting(key, details, layer, model) for key, details in innermost.items()]


def _invalid_setting(key: str, details: list[Details], layer: Layer, model: type[BaseModel]) -> InvalidSettingError:
    value, cause, remedy = _explain_value(details, model)
    return InvalidSettingError(_place(key, details, layer), f"{key}{value} {cause}", remedy)


def _place(key: str, details: list[Details], layer: Layer) -> str:
    """The place of the name if it is no setting; else the place where the value was given last."""
    place = layer.places.get(key) if details[0]["type"] == "extra_forbidden" else None
    return place or layer.place(key)


def _key(details: Details, values: Any) -> Iterator[str]:
    """The parts of the location that the user wrote, without the names of the alternatives that pydantic tried."""
    node = values
    for part in details["loc"]:
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            continue
        yield str(part)
    if details["type"] == "missing":
        yield str(details["loc"][-1])


def _explain_value(details: list[Details], model: type[BaseModel]) -> tuple[str, str, str]:
    """The value, what is wrong with it, and what to write instead."""
    first = details[0]
    if first["type"] == "extra_forbidden":
        return "", "is no setting", _nearest_name(first["loc"], model)
    if any(detail["type"] == "finite_number" for detail in details):
        return _value(first), "is not finite", "write a number"
    types = list(dict.fromkeys(_TYPES[detail["type"]] for detail in details if detail["type"] in _TYPES))
    if types:
        return _value(first), "has the wrong type", f"write {' or '.join(types)}"
    return _value(first), *_cause_and_remedy(first)


def _cause_and_remedy(details: Details) -> tuple[str, str]:
    context = details.get("ctx", {})
    error = context.get("error")
    if isinstance(error, InvalidValueError):
        return error.cause, error.remedy
    words = {name: _plain(value) for name, value in context.items()}
    cause, remedy = _CAUSES.get(details["type"], _ANY_OTHER)
    return cause.format(msg=details["msg"], **words), remedy.format(**words)


def _plain(value: Any) -> Any:
    """A bound as a user would write it: 1, not 1.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _nearest_name(location: Sequence[str | int], model: type[BaseModel]) -> str:
    name = str(location[-1])
    if "." in name:
        return "write it without quotes"
    return suggest(name, sorted(_names([model], location[:-1]) - {name}))


def _names(models: Sequence[type[BaseModel]], location: Sequence[str | int]) -> set[str]:
    """The settings that a section can have, found by following pydantic's location through the models.

    A part of a location is a field, the type of one of several models, or a name in a table with names of the user.
    """
    for part in location:
        annotations = [
            info.annotation
            for model in models
            for name, info in model.model_fields.items()
            if part in (name, info.alias)
        ]
        typed = [
            model
            for model in models
            if "type" in model.model_fields and part in get_args(model.model_fields["type"].annotation)
        ]
        models = [inner for annotation in annotations for inner in _models_in(annotation)] or typed or models
    return {info.alias or name for model in models for name, info in model.model_fields.items()}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _value(details: Details) -> str:
    """The value that was given; nothing for a table, or if none was given."""
    value = details["input"]
    return "" if details["type"] == "missing" or isinstance(value, (Mapping, BaseModel)) else f" = {brief(value)}"
