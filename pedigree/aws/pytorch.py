"""AWS's PyTorch images: the Python of each release, and the last release with a library that AWS took out later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Release: TypeAlias = tuple[int, int]
"""Major and minor version, which decide what an image contains."""

LAST_WITH_SMDDP = "2.5.1"
LAST_WITH_SMDEBUG = "2.0.1"
PYTHONS: Mapping[Release, str] = {
    (1, 12): "py38",
    (1, 13): "py39",
    **dict.fromkeys([(2, 0), (2, 1), (2, 2)], "py310"),
    **dict.fromkeys([(2, 3), (2, 4), (2, 5)], "py311"),
    **dict.fromkeys([(2, 6), (2, 7), (2, 8), (2, 9)], "py312"),
    (2, 10): "py313",
}
"""The Python in the images of a release; a tag with another one does not exist."""


def release(version: str) -> Release:
    """The release of a version: (2, 5) of 2.5.1."""
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def has_smddp(image: Release) -> bool:
    """Whether images of a release contain smdistributed.dataparallel."""
    return image <= release(LAST_WITH_SMDDP)


def has_smdebug(image: Release) -> bool:
    """Whether images of a release contain the library of SageMaker Debugger."""
    return image <= release(LAST_WITH_SMDEBUG)
