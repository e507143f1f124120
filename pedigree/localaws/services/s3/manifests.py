"""Manifests: objects that list the objects for a job."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pedigree.localaws.services.s3.catalog import ObjectCatalog, S3Location


def parse_manifest(content: bytes) -> Iterator[tuple[S3Location, str]]:
    """Yield the locations in a manifest, each with the manifest's prefix."""
    try:
        first, *rest = json.loads(content)
        base = S3Location.parse(first["prefix"])
        names = [str(name) for name in rest]
    except (ValueError, TypeError, KeyError):
        raise ValueError("the manifest is not a JSON list that begins with a prefix") from None
    for name in names:
        yield S3Location(base.bucket, f"{base.key}{name}"), base.key


def download_listed(catalog: ObjectCatalog, location: S3Location, folder: Path, share: tuple[int, int] = (0, 1)) -> int:
    """Place the objects of a manifest, or one share of them, in a folder, and return how many."""
    try:
        listed = list(parse_manifest(catalog.read(str(location))))[share[0] :: share[1]]
    except KeyError:
        raise FileNotFoundError(f"No S3 objects found under S3 URL {location}") from None
    for item, prefix in listed:
        path = folder / item.key[len(prefix) :].lstrip("/")
        if not path.resolve().is_relative_to(folder.resolve()) or path == folder:
            raise ValueError(f"the manifest {location} lists {item}, which is not a path inside a folder")
        try:
            catalog.link(item, path)
        except KeyError:
            raise FileNotFoundError(f"The manifest {location} lists {item}, and this object does not exist") from None
    return len(listed)
