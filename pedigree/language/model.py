"""SageMaker's API model as plain shapes, read from botocore's data without botocore's code.

Importing botocore's code brings an HTTP client, which takes longer than a whole check. The shapes have those members of
botocore's own shapes that are used here, and each exists once.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any


class Shape:
    """A shape of the model: a structure, a list, a map, or a plain value."""

    def __init__(self, name: str, document: Mapping[str, Any]) -> None:
        self.name = name
        self.metadata = document
        self.type_name: str = document["type"]
        self.required_members: tuple[str, ...] = tuple(document.get("required", ()))
        self.enum: tuple[str, ...] = tuple(document.get("enum", ()))

    @cached_property
    def members(self) -> Mapping[str, Shape]:
        return {name: shape(member["shape"]) for name, member in self.metadata.get("members", {}).items()}

    @cached_property
    def member(self) -> Shape:
        """The shape of a list's entries."""
        return shape(self.metadata["member"]["shape"])

    @cached_property
    def key(self) -> Shape:
        return shape(self.metadata["key"]["shape"])

    @cached_property
    def value(self) -> Shape:
        """The shape of a map's values."""
        return shape(self.metadata["value"]["shape"])


@cache
def shape(name: str) -> Shape:
    """A shape by its name."""
    return Shape(name, _document()["shapes"][name])


@cache
def input_shape(operation: str) -> Shape:
    """The request of an operation."""
    return shape(_document()["operations"][operation]["input"]["shape"])


@cache
def _document() -> Mapping[str, Any]:
    spec = find_spec("botocore")
    assert spec
    assert spec.origin
    newest = max(Path(spec.origin).parent.glob("data/sagemaker/[0-9]*"))
    packed = newest / "service-2.json.gz"
    text = gzip.decompress(packed.read_bytes()) if packed.is_file() else (newest / "service-2.json").read_bytes()
    document: Mapping[str, Any] = json.loads(text)
    return document
