"""What one build hands to every step: the site, the images, the code, and the policies by kind of step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from pedigree.aws import images, pytorch
from pedigree.aws.images import PyTorchImage
from pedigree.aws.machines import processor
from steps import dag
from steps.config import Config, like
from steps.policies import CacheConfig, Kind, RetriesConfig, cache_config, retry_policies
from steps.site import SiteConfig

Family = Literal["training", "distributed", "inference"]
_SCOPES: Mapping[Family, str] = {
    "training": images.TRAINING,
    "distributed": images.TRAINING,
    "inference": images.INFERENCE,
}
FAMILIES = tuple(_SCOPES)
_ECR = like(
    "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1",
    r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.[a-z0-9.-]+/[a-z0-9._/-]+(:[\w.-]+|@sha256:[0-9a-f]{64})?",
    optional=True,
)


class ImageConfig(Config):
    """An image of AWS by version, or an image of your own by address."""

    version: Annotated[str, like("2.13", r"\d+\.\d+(\.\d+)?")]
    """The version of PyTorch."""
    python: Annotated[str, like("py312", r"py3\d+", optional=True)] = ""
    """Part of the address up to 2.10."""
    image_uri: Annotated[str, _ECR, Field(max_length=255)] = ""
    """An image of your own; version then says what it contains."""


class ImagesConfig(Config):
    """The image families: for training, for training on several machines, and for serving."""

    training: ImageConfig = ImageConfig(version="2.13", python="py312")
    """PrepareData, Tune, TrainBest, Evaluate."""
    distributed: ImageConfig = ImageConfig(version=pytorch.LAST_WITH_SMDDP, python="py311")
    """The last version that contains smddp."""
    inference: ImageConfig = ImageConfig(version="2.6.0", python="py312")
    """AWS's last PyTorch image that runs an inference.py."""

    def own_uri(self, family: Family) -> str:
        """The address of the user's own image; empty where AWS's is used."""
        image: ImageConfig = getattr(self, family)
        return image.image_uri

    def pytorch(self, family: Family) -> PyTorchImage:
        """AWS's image of a family; of an image of your own, the one that it is built like."""
        image: ImageConfig = getattr(self, family)
        return PyTorchImage(_SCOPES[family], image.version, image.python)


@dataclass(frozen=True)
class Code:
    """The archive of entrypoints/: its S3 address, made from its content, and the hash of that content."""

    uri: str
    sha256: str


@dataclass(frozen=True)
class Build:
    """Everything that is the same for all steps of one definition."""

    pipeline: str
    site: SiteConfig
    images: ImagesConfig
    code: Code
    retries: RetriesConfig
    cache: CacheConfig

    def image(self, family: Family, instance_type: str) -> str:
        """The address of a family's image for a type of machine."""
        return image_for(self.images, family, instance_type, self.site.region)

    def step(
        self, name: str, kind: Kind, request: Mapping[str, Any], *, description: str, property_files: Sequence[Any] = ()
    ) -> dag.Step:
        """A step that makes a request, with the retries and the cache of its kind."""
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


def image_for(families: ImagesConfig, family: Family, instance_type: str, region: str) -> str:
    """The address of a family's image for a type of machine in a region."""
    return families.own_uri(family) or families.pytorch(family).uri(processor(instance_type), region)
