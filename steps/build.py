"""What one build hands to every step: the site, the images, the code, and the policies by kind of step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pedigree.aws import machines
from steps import dag, images
from steps.config import Config
from steps.images import Image
from steps.policies import Cache, Kind, Retries, cache_config, retry_policies
from steps.site import Site

Family = Literal["training", "distributed", "inference"]
SCOPES: Mapping[Family, str] = {
    "training": images.TRAINING,
    "distributed": images.TRAINING,
    "inference": images.INFERENCE,
}


class Images(Config):
    """The image families: what trains, what trains on several machines, and what serves."""

    training: Image = Image(version="2.13", python="py312")
    distributed: Image = Image(version=images.LAST_WITH_SMDDP, python="py311")
    inference: Image = Image(version="2.6.0", python="py312")


@dataclass(frozen=True)
class Code:
    """The archive of entrypoints/: its S3 address, made from its content, and the hash of that content."""

    uri: str
    sha256: str


@dataclass(frozen=True)
class Build:
    """Everything that is the same for all steps of one definition."""

    pipeline: str
    site: Site
    images: Images
    code: Code
    retries: Retries
    cache: Cache

    def image(self, family: Family, instance_type: str) -> str:
        """The address of a family's image, in the flavor for a type of machine."""
        return image_for(self.images, family, instance_type, self.site.region)

    def step(
        self, name: str, kind: Kind, request: Mapping[str, Any], *, description: str, property_files: Sequence[Any] = ()
    ) -> dag.Step:
        """A step that makes a request, with the retries and the cache that its kind has."""
        lifetime = getattr(self.cache, kind, None)
        return dag.RequestStep(
            name,
            kind,
            request,
            description=description,
            retry_policies=retry_policies(getattr(self.retries, kind)),
            cache_config=None if lifetime is None else cache_config(lifetime),
            property_files=property_files,
        )


def image_for(families: Images, family: Family, instance_type: str, region: str) -> str:
    """The address of a family's image for a type of machine in a region."""
    image: Image = getattr(families, family)
    return images.resolve(image, SCOPES[family], machines.processor(instance_type), region)
