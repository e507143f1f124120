"""Which container image runs what, resolved without a network from the tables that the SDK ships.

The tables are read as data, so that a version that does not exist is an error while settings are read, before the
SDK's import has cost its seconds; a contract test holds every address against the SDK's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Annotated, Any

from botocore.loaders import Loader
from pydantic import Field

from pedigree.language.near import meant
from steps.config import Config, like
from steps.errors import ImageNotFoundError, NoImageInRegionError

TRAINING = "training"
INFERENCE = "inference"
LAST_WITH_SMDDP = "2.5.1"
LAST_WITH_SMDEBUG = "2.0.1"
_OLDEST_CUDA = 12
# The unified images have no Python in their address, and this one inside.
_UNIFIED_PYTHON = "py312"


_ECR = like(
    "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1",
    r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.[a-z0-9.-]+/[a-z0-9._/-]+(:[\w.-]+|@sha256:[0-9a-f]{64})?",
    optional=True,
)


def _release(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


class Image(Config):
    """A family of PyTorch images: by version, or by an address of your own."""

    version: Annotated[str, like("2.13", r"\d+\.\d+(\.\d+)?")]
    python: Annotated[str, like("py312", r"py3\d+", optional=True)] = ""
    image_uri: Annotated[str, _ECR, Field(max_length=255)] = ""

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor version: what decides which of AWS's libraries an image has."""
        return _release(self.version)

    @property
    def has_smddp(self) -> bool:
        """Whether smdistributed.dataparallel is inside; AWS took it out of later images."""
        return self.release <= _release(LAST_WITH_SMDDP)

    @property
    def has_smdebug(self) -> bool:
        """Whether the Debugger's library is inside; AWS took it out of later images."""
        return self.release <= _release(LAST_WITH_SMDEBUG)


def resolve(image: Image, scope: str, processor: str, region: str) -> str:
    """The address of the image for a scope (training, inference), a processor (cpu, gpu) and a region."""
    if image.image_uri:
        return image.image_uri
    entry = _entry(image, scope)
    if processor not in ("cpu", "gpu"):
        raise ImageNotFoundError(
            f"AWS has no PyTorch {scope} image for {processor} instances; choose another type or set image_uri"
        )
    what = f"PyTorch {image.version} {scope} image in"
    return f"{_repository(entry, region, what)}:{_tag(image, entry, processor)}"


def python(image: Image, scope: str) -> tuple[int, int] | None:
    """The Python inside of an image, where the SDK's tables tell."""
    offered = () if image.image_uri else dict(_entries(scope)).get(image.version, {}).get("py_versions", ())
    match = re.fullmatch(r"py(\d)(\d*)", image.python if image.python in offered else next(iter(offered), ""))
    return (int(match[1]), int(match[2] or 0)) if match else None


def cuda(image: Image, scope: str) -> int | None:
    """The major version of CUDA inside of an image, where its address tells; what tells none has CUDA 12 at least."""
    if image.image_uri:
        return None
    flavor = dict(_entries(scope)).get(image.version, {}).get("container_version", {}).get("gpu", "")
    match = re.match(r"cu(\d\d)", flavor)
    return int(match[1]) if match else _OLDEST_CUDA


def debugger_rules(region: str) -> str:
    """The address of the image that evaluates the Debugger's built-in rules."""
    entry = _table("debugger")["versions"]["latest"]
    return f"{_repository(entry, region, 'Debugger rule image in')}:latest"


def known_region(region: str) -> str:
    """The region, if AWS has it; ValueError says which one it may have been."""
    _partition(region)
    return region


def dns_suffix(region: str) -> str:
    """Where a region's addresses end: amazonaws.com, or what its partition has instead."""
    return str(_partition(region)["dnsSuffix"])


def partition(region: str) -> str:
    """The partition that a region's ARNs name: aws, aws-cn, aws-us-gov, …"""
    return str(_partition(region)["name"])


def _entry(image: Image, scope: str) -> Mapping[str, Any]:
    entries = dict(_entries(scope))
    if image.version not in entries:
        newest = ", ".join(list(entries)[-1:-4:-1])
        raise ImageNotFoundError(
            f"the SDK knows no PyTorch {scope} image {image.version}; use one like {newest}, or set image_uri"
        )
    entry = entries[image.version]
    offered = entry.get("py_versions", (_UNIFIED_PYTHON,))
    if image.python and image.python not in offered:
        raise ImageNotFoundError(
            f"the PyTorch {image.version} {scope} image has {', '.join(offered)}, not {image.python}; use that"
        )
    return entry


def _tag(image: Image, entry: Mapping[str, Any], processor: str) -> str:
    if "container_version" in entry:
        return f"{entry['tag_prefix']}-{entry['container_version'][processor]}"
    return f"{image.version}-{processor}-{image.python or entry['py_versions'][0]}"


def _entries(scope: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for framework in ("pytorch", "pytorch-amzn2023"):
        table = _table(framework).get(scope, {"versions": {}, "version_aliases": {}})
        aliases = {alias: table["versions"][full] for alias, full in table["version_aliases"].items()}
        yield from (aliases | table["versions"]).items()


def _repository(entry: Mapping[str, Any], region: str, what: str) -> str:
    if region not in entry["registries"]:
        raise NoImageInRegionError(f"the SDK knows no {what} {region}; choose another region or set image_uri")
    account = entry["registries"][region]
    return f"{account}.dkr.ecr.{region}.{dns_suffix(region)}/{entry['repository']}"


@cache
def _table(framework: str) -> Mapping[str, Any]:
    try:
        path = distribution("sagemaker-core").locate_file(f"sagemaker/core/image_uri_config/{framework}.json")
    except PackageNotFoundError:
        raise ImageNotFoundError("the SageMaker SDK is not installed; install it, or set image_uri") from None
    table: Mapping[str, Any] = json.loads(Path(str(path)).read_text(encoding="utf-8"))
    return table


@cache
def _partition(region: str) -> Mapping[str, Any]:
    outputs: dict[str, Mapping[str, Any]] = {
        name: candidate["outputs"]
        for candidate in Loader().load_data("partitions")["partitions"]
        for name in candidate["regions"]
        if not name.endswith("-global")
    }
    if region not in outputs:
        raise ValueError(f"is no region of AWS; {meant(region, outputs, 'regions look like us-east-1')}")
    return outputs[region]
