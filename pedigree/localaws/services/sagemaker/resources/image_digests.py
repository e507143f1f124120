"""The digests of images. No image is stored here, so the digest of one is made from its address."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any


def image_digest(image: str) -> str:
    """The digest in an image's address, or the one that stands for its tag."""
    _, _, digest = image.partition("@")
    return digest or f"sha256:{hashlib.sha256(image.encode()).hexdigest()}"


def resolved_image(image: str) -> str:
    """The address of an image with its digest in place of the tag."""
    repository = image.partition("@")[0]
    folder, slash, name = repository.rpartition("/")
    return f"{folder}{slash}{name.partition(':')[0]}@{image_digest(image)}"


def with_digests(specification: Mapping[str, Any]) -> dict[str, Any]:
    """An InferenceSpecification whose containers have the digests of their images."""
    containers = [
        {**each, "ImageDigest": image_digest(each["Image"])} if each.get("Image") else each
        for each in specification.get("Containers") or ()
    ]
    return {**specification, "Containers": containers}
