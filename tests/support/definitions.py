"""How to unit-test a pipeline definition: build it from a few settings, look at a step, validate it.

    document = define({"distributed.enabled": False})
    assert step(document, "TrainBest")["Arguments"]["EnableNetworkIsolation"] is False
    assert_sound(document)

Building takes milliseconds and needs no network, so every property of a definition can be tested.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

from jsonschema import Draft202012Validator

from pedigree.language import graph, references, shapes
from pedigree.language.defaults import with_defaults
from pedigree.language.definition import Definition, read
from pedigree.language.expressions import ParameterReference
from pipeline.document import document
from pipeline.settings.layers import Layer
from pipeline.settings.loading import compose
from pipeline.settings.tree import Settings
from pipeline.source import SourceArchive
from tests.support import definition_schema, request_validation

# Code that never changes, so that the expected keys stay the same.
CODE = SourceArchive(b"")
# Many tests validate the same definitions: results are cached by the text of the definition.
_cached = lru_cache(maxsize=4096)


def configure(values: Mapping[str, Any]) -> Settings:
    """Settings with some values by dotted key: {"tuning.max_jobs": 4}."""
    return compose([Layer.of(key, value, "test") for key, value in values.items()])


def define(values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The definition that these settings make; the caller may change it."""
    definition: dict[str, Any] = json.loads(_defined(json.dumps(values or {}, sort_keys=True)))
    return definition


@_cached
def _defined(values: str) -> str:
    return json.dumps(document(configure(json.loads(values)), CODE))


def step(definition: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A step of a definition by its name, wherever it stands."""
    return dict(read(definition).by_name()[name].document)


def parameters(definition: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The parameters of a definition by name."""
    return {parameter["Name"]: parameter for parameter in definition["Parameters"]}


def assert_sound(document: Mapping[str, Any]) -> None:
    """Validate a definition with all that can be known without AWS; a failure lists everything that is wrong."""
    definition = read(document)
    problems = [
        *_schema_problems(document),
        *_default_problems(definition),
        *request_validation.problems(definition),
        *_dangling_references(definition),
        *_unused(definition),
        *_cycles(definition),
    ]
    assert not problems, "\n".join(problems)


@cache
def _schema() -> definition_schema.Schema:
    generated = definition_schema.generate()
    Draft202012Validator.check_schema(generated)
    return generated


@cache
def _validator(shape: str = "") -> Draft202012Validator:
    """A validator of whole definitions, or of one shape of a request."""
    whole = _schema()
    return Draft202012Validator({"$ref": f"#/$defs/{shape}", "$defs": whole["$defs"]} if shape else whole)


def _schema_problems(value: Any, shape: str = "") -> tuple[str, ...]:
    return _problems_of(json.dumps(value), shape)


@_cached
def _problems_of(text: str, shape: str) -> tuple[str, ...]:
    errors = _validator(shape).iter_errors(json.loads(text))
    return tuple(f"{error.json_path}: {error.message[:300]}" for error in errors)


def _default_problems(definition: Definition) -> Iterator[str]:
    """Defaults of the wrong type, and requests with all defaults that do not match the schema."""
    for parameter in definition.parameters.values():
        if parameter.default is not None and not parameter.accepts(parameter.default):
            yield f"parameter {parameter.name} does not accept its own default {parameter.default!r}"
    for step in definition.all_steps():
        shape = shapes.request_shape(step.type)
        if shape is not None:
            arguments = with_defaults(definition, dict(step.arguments))
            yield from (f"{step.name} {problem}" for problem in _schema_problems(arguments, shape.name))


def _dangling_references(definition: Definition) -> Iterator[str]:
    for dangling in references.dangling_references(definition, references.uses(definition)):
        yield f"{dangling.use.step.name} {dangling.use.pointer}: {dangling.error}"


def _unused(definition: Definition) -> Iterator[str]:
    used = {use.reference.name for use in references.uses(definition) if isinstance(use.reference, ParameterReference)}
    yield from (f"parameter {name} reaches no step" for name in definition.parameters if name not in used)


def _cycles(definition: Definition) -> Iterator[str]:
    yield from (f"{name} waits for itself" for name, before in graph.upstream(definition).items() if name in before)
