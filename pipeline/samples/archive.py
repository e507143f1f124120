"""Writes the archive: every picture of a plan in the course project's layout, in a fixed order, with a fixed time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from pipeline.samples.drawing import jpeg
from pipeline.samples.plan import Sample, SamplePlan

_UNIX = 3
_READABLE = 0o100644 << 16


def write(file: IO[bytes], plan: SamplePlan, samples: Iterable[Sample]) -> None:
    """Draw these pictures into a zip archive, one after another."""
    with ZipFile(file, "w", ZIP_STORED) as archive:  # JPEG does not get smaller, and zlibs differ
        for sample in samples:
            archive.writestr(_member(sample.path), jpeg(sample, plan.size, plan.seed))


def _member(path: str) -> ZipInfo:
    member = ZipInfo(path, date_time=(1980, 1, 1, 0, 0, 0))
    member.create_system = _UNIX  # what ZipInfo takes from the machine otherwise
    member.external_attr = _READABLE
    return member
