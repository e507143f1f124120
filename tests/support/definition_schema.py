"""Generates a JSON Schema (draft 2020-12) of definitions from botocore's request shapes and the expression language.

AWS publishes a schema too, and it rejects what AWS's own SDK emits. This one comes from the current API model, so it is
neither copied by hand nor stale. Tests judge the pipeline's definition by it: it is independent of the checks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from pedigree.language import shapes
from pedigree.language.conditions import SIGNS
from pedigree.language.definition import EXECUTION_VARIABLES, PARAMETER_TYPES, STEP_TYPES, STEP_TYPES_WITH, VERSION
from pedigree.language.retries import EXCEPTION_TYPES
from pedigree.language.shapes import Shape

Schema = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
_NAME = {"type": "string", "pattern": r"^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,63})$"}
_TEXT = {"type": "string"}
_SCALAR = {"type": ["string", "number", "boolean", "null"]}
_DECLARED = {
    "type": "array",
    "maxItems": 50,
    "items": {
        "type": "object",
        "required": ["OutputName", "OutputType"],
        "properties": {"OutputName": _TEXT, "OutputType": {"enum": list(PARAMETER_TYPES)}},
        "additionalProperties": False,
    },
}
_VALUE = {"anyOf": [_SCALAR, {"$ref": "#/$defs/Expression"}]}
_FLAT = {"type": "object", "additionalProperties": _VALUE}
_DURATION = r"^[Pp]?(?=.*[1-9])(\d+[Yy])?(\d+[Mm])?(\d+[Ww])?(\d+[Dd])?([Tt](\d+[Hh])?(\d+[Mm])?)?$"
_DEFAULTS = {
    "String": _TEXT,
    "Integer": {"type": "integer"},
    "Float": {"type": "number"},
    "Boolean": {"type": "boolean"},
}


def generate() -> Schema:
    """The schema of a whole definition."""
    definitions: Schema = {"Expression": _expression(), "Condition": _condition(), "Step": {}}
    kinds = {name: _request(name, definitions) for name in shapes.OPERATIONS} | _declared_kinds()
    definitions["Step"] = _step(kinds)
    return {
        "$schema": DRAFT,
        "type": "object",
        "required": ["Version", "Parameters", "Steps"],
        "properties": {
            "Version": {"const": VERSION},
            "Metadata": {"type": "object"},
            "Parameters": {"type": "array", "maxItems": 200, "items": _parameter()},
            "PipelineExperimentConfig": {"type": "object"},
            "Steps": {"type": "array", "items": {"$ref": "#/$defs/Step"}, "minItems": 1},
        },
        "additionalProperties": False,
        "$defs": definitions,
    }


def _parameter() -> Schema:
    return {
        "type": "object",
        "required": ["Name", "Type"],
        "properties": {
            "Name": _NAME,
            "Type": {"enum": list(PARAMETER_TYPES)},
            "DefaultValue": {"type": ["string", "number", "boolean"], "maxLength": 4096},
            "EnumValues": {"type": "array", "items": _TEXT, "minItems": 1, "uniqueItems": True},
        },
        "additionalProperties": False,
        "allOf": [
            _when(
                kind, {"properties": {"DefaultValue": default, **({} if kind == "String" else {"EnumValues": False})}}
            )
            for kind, default in _DEFAULTS.items()
        ],
    }


def _expression() -> Schema:
    variables = "|".join(EXECUTION_VARIABLES)
    path = rf"^(Parameters\.[A-Za-z0-9_-]+|Execution\.({variables})|Steps\.[A-Za-z0-9_-]+[.\[].+)$"
    json_get = {"PropertyFile": {"$ref": "#/$defs/Expression"}, "S3Uri": _VALUE, "Path": _TEXT}
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {
            "Get": {"type": "string", "pattern": path},
            "Std:Join": _object({"On": _TEXT, "Values": {"type": "array", "items": _VALUE}}, "Values"),
            "Std:JsonGet": {
                **_object(json_get, "Path"),
                "oneOf": [{"required": ["PropertyFile"]}, {"required": ["S3Uri"]}],
            },
        },
        "additionalProperties": False,
    }


def _condition() -> Schema:
    inner = {"$ref": "#/$defs/Condition"}
    values, several = {"type": "array", "items": _VALUE}, {"type": "array", "items": inner, "minItems": 1}
    kinds: tuple[Schema, ...] = (
        {"Type": {"enum": list(SIGNS)}, "LeftValue": _VALUE, "RightValue": _VALUE},
        {"Type": {"const": "In"}, "QueryValue": _VALUE, "Values": values},
        {"Type": {"const": "Not"}, "Condition": inner},
        {"Type": {"const": "Or"}, "Conditions": several},
    )
    return {"oneOf": [_object(kind, *kind) for kind in kinds]}


def _step(kinds: Mapping[str, Schema]) -> Schema:
    dependency = _object({"Step": _NAME, "Trigger": {"enum": ["Completed", "Failed", "Stopped", "Any"]}}, "Step")
    return {
        "type": "object",
        "required": ["Name", "Type", "Arguments"],
        "properties": {
            "Name": _NAME,
            "Type": {"enum": list(STEP_TYPES)},
            "Arguments": {"type": "object"},
            "DisplayName": _TEXT,
            "Description": {"type": "string", "maxLength": 3072},
            "DependsOn": {"type": "array", "items": {"anyOf": [_NAME, dependency]}},
            "CacheConfig": _object(
                {"Enabled": {"type": "boolean"}, "ExpireAfter": {"type": "string", "pattern": _DURATION}}, "Enabled"
            ),
            "RetryPolicies": {"type": "array", "items": _retry()},
            "PropertyFiles": {
                "type": "array",
                "items": _object(
                    dict.fromkeys(("PropertyFileName", "OutputName", "FilePath"), _TEXT), "PropertyFileName"
                ),
            },
            "OutputParameters": _DECLARED,
            "FunctionArn": _TEXT,
            "SqsQueueUrl": _TEXT,
        },
        "additionalProperties": False,
        "allOf": [_when(name, then) for name, then in kinds.items()] + [_when(name, _only_for(name)) for name in kinds],
    }


def _only_for(step_type: str) -> Schema:
    return {"properties": {member: False for member, types in STEP_TYPES_WITH.items() if step_type not in types}}


def _retry() -> Schema:
    limit = [{"required": ["MaxAttempts"]}, {"required": ["ExpireAfterMin"]}]
    members = {
        "ExceptionType": {
            "type": "array",
            "items": {"enum": list(EXCEPTION_TYPES)},
            "minItems": 1,
            "uniqueItems": True,
        },
        "BackoffRate": {"type": "number", "minimum": 0},
        "IntervalSeconds": {"type": "integer", "minimum": 1, "maximum": 43_200},
        "MaxAttempts": {"type": "integer", "minimum": 1, "maximum": 20},
        "ExpireAfterMin": {"type": "integer", "minimum": 1, "maximum": 14_400},
    }
    return {**_object(members, "ExceptionType"), "oneOf": limit}


def _declared_kinds() -> dict[str, Schema]:
    no_condition = {"not": {"properties": {"Type": {"const": "Condition"}}}}
    steps = {"type": "array", "items": {"allOf": [{"$ref": "#/$defs/Step"}, no_condition]}}
    conditions = {"type": "array", "items": {"$ref": "#/$defs/Condition"}, "minItems": 1}
    message = {"anyOf": [_TEXT, {"$ref": "#/$defs/Expression"}]}
    branches = _object({"Conditions": conditions, "IfSteps": steps, "ElseSteps": steps}, "Conditions")
    return {
        "Condition": {"properties": {"Arguments": branches}},
        "Fail": {"properties": {"Arguments": _object({"ErrorMessage": message}, "ErrorMessage")}},
        "Lambda": {"properties": {"Arguments": _FLAT}, "required": ["FunctionArn"]},
        "Callback": {"properties": {"Arguments": _FLAT}, "required": ["SqsQueueUrl"]},
    }


def _request(step_type: str, definitions: Schema) -> Schema:
    shape: Shape = shapes.request_shape(step_type)
    _define(shape, definitions)
    request = dict(definitions[shape.name])
    chosen_by_service = shapes.OPERATIONS[step_type].name_member
    request["required"] = [name for name in request["required"] if name != chosen_by_service]
    definitions[shape.name] = request
    return {"properties": {"Arguments": {"$ref": f"#/$defs/{shape.name}"}}}


def _define(shape: Shape, definitions: Schema) -> Schema:
    """A reference to a shape's definition, made when first met; shapes can hold themselves, so its name comes first."""
    if shape.name not in definitions:
        definitions[shape.name] = {}
        definitions[shape.name] = _SCHEMAS[shape.type_name](shape, definitions)
    return {"$ref": f"#/$defs/{shape.name}"}


def _structure(shape: Shape, definitions: Schema) -> Schema:
    return {
        "type": "object",
        "required": list(shape.required_members),
        "properties": {name: _define(member, definitions) for name, member in shape.members.items()},
        "additionalProperties": False,
    }


def _list(shape: Shape, definitions: Schema) -> Schema:
    return {"type": "array", "items": _define(shape.member, definitions), **_limits(shape, "minItems", "maxItems")}


def _map(shape: Shape, definitions: Schema) -> Schema:
    return {
        "type": "object",
        "propertyNames": _plain_string(shape.key),
        "additionalProperties": _define(shape.value, definitions),
        **_limits(shape, "minProperties", "maxProperties"),
    }


def _string(shape: Shape, _definitions: Schema) -> Schema:
    return _or_expression(_plain_string(shape))


def _plain_string(shape: Shape) -> Schema:
    choices = {"enum": list(shape.enum)} if shape.enum else {}
    return {"type": "string", **_limits(shape, "minLength", "maxLength"), **_pattern(shape), **choices}


def _number(kind: str) -> Callable[[Shape, Schema], Schema]:
    return lambda shape, _: _or_expression({"type": kind, **_limits(shape, "minimum", "maximum")})


def _or_expression(plain: Schema) -> Schema:
    return {"anyOf": [plain, {"$ref": "#/$defs/Expression"}]}


def _limits(shape: Shape, least: str, most: str) -> Schema:
    named = {"min": least, "max": most}
    return {named[key]: value for key, value in shape.metadata.items() if key in named}


def _pattern(shape: Shape) -> Schema:
    """The shape's pattern, anchored as the service does; those of another dialect are left to the service."""
    pattern = shape.metadata.get("pattern", "")
    try:
        re.compile(pattern)
    except re.error:
        return {}
    return {"pattern": f"^(?:{pattern})$"} if pattern else {}


def _object(properties: Mapping[str, Any], *required: str) -> Schema:
    return {"type": "object", "required": list(required), "properties": dict(properties), "additionalProperties": False}


def _when(step_type: str, then: Schema) -> Schema:
    return {"if": {"properties": {"Type": {"const": step_type}}}, "then": then}


_SCHEMAS: Mapping[str, Callable[[Shape, Schema], Schema]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "integer": _number("integer"),
    "long": _number("integer"),
    "float": _number("number"),
    "double": _number("number"),
    "boolean": lambda _shape, _definitions: _or_expression({"type": "boolean"}),
    "timestamp": lambda _shape, _definitions: _or_expression({"type": ["string", "number"]}),
    "blob": lambda _shape, _definitions: _or_expression({"type": "string"}),
}
