"""Manifests: objects that list other objects, for jobs that are to have just those."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pedigree.localaws.services.s3.catalog import ObjectCatalog, S3Location


def manifest(content: bytes) -> Iterator[tuple[S3Location, str]]:
    """The objects that a manifest lists, each with the prefix that it was found under."""
    try:
        first, *rest = json.loads(content)
        base = S3Location.parse(first["prefix"])
        names = [str(one) for one in rest]
    except (ValueError, TypeError, KeyError):
        raise ValueError("the manifest is no JSON list that begins with a prefix") from None
    for name in names:
        yield S3Location(base.bucket, f"{base.key}{name}"), base.key


def download_listed(catalog: ObjectCatalog, place: S3Location, folder: Path, share: tuple[int, int] = (0, 1)) -> int:
    """Put the objects that a manifest lists, or one share of so many, into a folder; how many."""
    try:
        listed = list(manifest(catalog.read(str(place))))[share[0] :: share[1]]
    except KeyError:
        raise FileNotFoundError(f"No S3 objects found under S3 URL {place}") from None
    for one, prefix in listed:
        path = folder / one.key[len(prefix) :].lstrip("/")
        if not path.resolve().is_relative_to(folder.resolve()) or path == folder:
            raise ValueError(f"the manifest {place} lists {one}, which has no place in a folder")
        try:
            catalog.link(one, path)
        except KeyError:
            raise FileNotFoundError(f"The manifest {place} lists {one}, and there is no such object") from None
    return len(listed)
