"""What one build hands to every step: the site, the images, the code, and the policies by kind of step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from steps import images, instances
from steps.config import Config
from steps.images import Image
from steps.policies import Cache, Retries, cache_config, retry_policies
from steps.site import Site


class Images(Config):
    """The image families: what trains, what trains on several machines, and what serves."""

    training: Image = Image(version="2.13", python="py312")
    distributed: Image = Image(version="2.5.1", python="py311")
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

    def image(self, family: str, instance_type: str) -> str:
        """The address of a family's image, in the flavor for a type of machine."""
        return image_for(self.images, family, instance_type, self.site.region)

    def policies(self, kind: str) -> dict[str, Any]:
        """The retry and cache arguments of a step of a kind."""
        cached = {"cache_config": cache_config(getattr(self.cache, kind))} if kind in Cache.model_fields else {}
        return {"retry_policies": retry_policies(getattr(self.retries, kind)), **cached}


def image_for(families: Images, family: str, instance_type: str, region: str) -> str:
    """The address of a family's image for a type of machine in a region."""
    scope = images.INFERENCE if family == "inference" else images.TRAINING
    image: Image = getattr(families, family)
    return images.resolve(image, scope, instances.processor(instance_type), region)
