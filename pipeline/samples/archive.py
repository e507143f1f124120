"""Writes the archive: every picture of a plan in the course project's layout, in a fixed order, with a fixed time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO
from zipfile import ZIP_STORED, ZipFile

from pipeline.samples.drawing import jpeg
from pipeline.samples.plan import Sample, SamplePlan
from pipeline.zip_member import member


def write(file: IO[bytes], plan: SamplePlan, samples: Iterable[Sample]) -> None:
    """Draw these pictures into a zip archive, one after another."""
    with ZipFile(file, "w", ZIP_STORED) as archive:  # JPEG does not get smaller, and zlibs differ
        for sample in samples:
            archive.writestr(member(sample.path), jpeg(sample, plan.size, plan.seed))
