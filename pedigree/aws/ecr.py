"""The addresses of images in ECR, and what the tags of AWS's own images say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pedigree.aws.pytorch import Release

_ADDRESS = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z0-9.]+/(?P<repository>[^:@]+)(?:[:@](?P<tag>.+))?"
)
_RELEASE = re.compile(r"v?(\d+)\.(\d+)")
_PROCESSOR = re.compile(r"-(cpu|gpu|cu\d+)(?:-|$)")
_PYTHON = re.compile(r"-(py\d+)(?:-|$)")
_PYTORCH = ("pytorch", "pytorch-training", "pytorch-inference")


@dataclass(frozen=True)
class ImageAddress:
    """The parts of an address; the tag may be a digest, or empty."""

    region: str
    repository: str
    tag: str
    account: str = ""

    @property
    def release(self) -> Release | None:
        """Major and minor version of the framework, None where the tag has none."""
        match = _RELEASE.match(self.tag)
        return (int(match[1]), int(match[2])) if match else None

    @property
    def is_pytorch(self) -> bool:
        """Whether it is one of AWS's PyTorch images."""
        return self.repository in _PYTORCH

    @property
    def processor(self) -> str:
        """cpu or gpu, empty where the tag has neither."""
        match = _PROCESSOR.search(self.tag)
        return "" if not match else "cpu" if match[1] == "cpu" else "gpu"

    @property
    def python(self) -> str:
        """The Python in the tag, as py312; empty where the tag has none."""
        match = _PYTHON.search(self.tag)
        return match[1] if match else ""


def parse_address(address: Any) -> ImageAddress | None:
    """The parts of an image's address, None for an image that is not in ECR."""
    match = _ADDRESS.fullmatch(address) if isinstance(address, str) else None
    if match is None:
        return None
    return ImageAddress(match["region"], match["repository"], match["tag"] or "", match["account"])
