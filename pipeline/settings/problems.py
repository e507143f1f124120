"""What pydantic found wrong, for whoever wrote the settings: place, key, cause and remedy, one line a problem."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from pedigree.language.near import suggest
from pedigree.language.text import brief
from pipeline.settings.layers import Layer

Details = Mapping[str, Any]
_KINDS = {
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
    "greater_than_equal": "is too small; write {ge} or more",
    "greater_than": "is too small; write more than {gt}",
    "less_than_equal": "is too large; write {le} or less",
    "less_than": "is too large; write less than {lt}",
    "string_too_long": "is too long; keep {max_length} or fewer",
    "string_too_short": "is too short; write {min_length} or more",
    "too_long": "is too long; keep {max_length} or fewer",
    "too_short": "is too short; name {min_length} or more",
    "missing": "is missing; add it",
    "literal_error": "is none of the choices; write {expected}",
    "union_tag_not_found": 'has no type; add type = "continuous", "integer" or "categorical"',
    "union_tag_invalid": "has an unknown type; write {expected_tags}",
    "value_error": "{error}",
}
_ANY_OTHER = "does not hold: {msg}; compare docs/settings.toml"


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
    return [f"{_place(key, details, layer)}: {key}{_text(details, model)}" for key, details in innermost.items()]


def _place(key: str, found: list[Details], layer: Layer) -> str:
    """Of a name that is no setting, where the name stands; of a value, where it was given last."""
    place = layer.places.get(key) if found[0]["type"] == "extra_forbidden" else None
    return place or layer.place(key)


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


def _text(found: list[Details], model: type[BaseModel]) -> str:
    first = found[0]
    if first["type"] == "extra_forbidden":
        return f" is no setting; {_nearest(first['loc'], model)}"
    if any(details["type"] == "finite_number" for details in found):
        return f"{_given(first)} is not finite; write a number"
    kinds = list(dict.fromkeys(_KINDS[details["type"]] for details in found if details["type"] in _KINDS))
    if kinds:
        return f"{_given(first)} is of the wrong kind; write {' or '.join(kinds)}"
    words = {name: _plain(value) for name, value in first.get("ctx", {}).items()}
    return f"{_given(first)} {_CAUSES.get(first['type'], _ANY_OTHER).format(msg=first['msg'], **words)}"


def _plain(value: Any) -> Any:
    """A bound as somebody would write it: 1, not 1.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _nearest(location: Sequence[str | int], model: type[BaseModel]) -> str:
    name = str(location[-1])
    if "." in name:
        return "write it without quotes"
    return suggest(name, sorted(_names([model], location[:-1]) - {name}))


def _names(models: Sequence[type[BaseModel]], location: Sequence[str | int]) -> set[str]:
    """The settings that a section can have, found by walking the models along pydantic's location.

    A part of it is a field, the type that one of several models has, or a name in a table of the user's making.
    """
    for part in location:
        inside = [
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
        models = [found for annotation in inside for found in _models_in(annotation)] or typed or models
    return {info.alias or name for model in models for name, info in model.model_fields.items()}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _given(details: Details) -> str:
    """The value that was given, where it is one value and was given at all."""
    value = details["input"]
    return "" if details["type"] == "missing" or isinstance(value, (Mapping, BaseModel)) else f" = {brief(value)}"
