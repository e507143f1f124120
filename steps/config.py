"""The base of every Config, and the types of their fields.

A Config is frozen and strict ("5" is no number), and refuses unknown keys. Optional values are empty, not missing,
because TOML has no null. The docstring below a field is its comment in docs/settings.toml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WrapSerializer

from pedigree.aws.machines import instance_types
from pedigree.errors import InvalidValueError
from pedigree.language.near import suggest

if TYPE_CHECKING:
    from typing_extensions import Self

Value = TypeVar("Value")


def _each_once(values: tuple[Value, ...]) -> tuple[Value, ...]:
    twice = [value for value in values if values.count(value) > 1]
    if twice:
        raise InvalidValueError(f"names {twice[0]} more than once", "name it once")
    return values


Unique = Annotated[tuple[Value, ...], AfterValidator(_each_once)]


def like(example: str, pattern: str, *, optional: bool = False) -> AfterValidator:
    """Text of a pattern; the error shows an example, not the pattern."""

    def check(text: str) -> str:
        if (optional and not text) or re.fullmatch(pattern, text, re.ASCII):
            return text
        raise InvalidValueError(
            "has the wrong form",
            f"write it like {example}{', or leave it empty' if optional else ''}",
        )

    return AfterValidator(check)


@dataclass(frozen=True)
class OneOf:
    """Accepts a few words that are in the contract; a Literal would spell them a second time."""

    choices: tuple[str, ...]

    def __call__(self, word: str) -> str:
        if word in self.choices:
            return word
        hint = suggest(word, self.choices, f"write {' or '.join(self.choices)}")
        raise InvalidValueError("is not one of the choices", hint)


def one_of(choices: Sequence[str]) -> AfterValidator:
    """A word that must be one of a few."""
    return AfterValidator(OneOf(tuple(choices)))


def _instance_type_for(use: str, jobs: str) -> AfterValidator:
    def check(instance_type: str) -> str:
        if instance_type in instance_types(use):
            return instance_type
        hint = suggest(instance_type, sorted(instance_types(use)), "instance types look like ml.m5.large")
        raise InvalidValueError(f"is not an instance type for {jobs}", hint)

    return AfterValidator(check)


class Config(BaseModel):
    """The settings of one part of the pipeline."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Itself: a frozen object needs no copy."""
        return self


HyphenatedName = Annotated[str, like("dog-breeds", r"[a-zA-Z0-9](-?[a-zA-Z0-9])*"), Field(max_length=63)]
BUCKET = (
    r"(?!(\d+\.){3}\d+(/|$))(?!xn--|sthree-)(?![a-z0-9.-]*(\.\.|\.-|-\.))"
    r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?<!-s3alias)(?<!--ol-s3)"
)
S3_URI = rf"s3://{BUCKET}(/[^\s#]*)?"
S3_FILE = rf"s3://{BUCKET}/[^\s#]*[^\s#/]"
Count = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0, le=1)]
TrainingInstance = Annotated[str, _instance_type_for("Training", "training")]
ProcessingInstance = Annotated[str, _instance_type_for("Processing", "processing")]
EndpointInstance = Annotated[str, _instance_type_for("ProductionVariant", "endpoints")]
JobSeconds = Annotated[int, Field(ge=60, le=432_000)]
VolumeGigabytes = Annotated[int, Field(ge=1, le=16_384)]
FrozenMapping = Annotated[
    Mapping[str, Value],
    AfterValidator(MappingProxyType),
    WrapSerializer(lambda mapping, serialized: serialized(dict(mapping))),
]
