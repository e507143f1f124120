"""AWS's PyTorch images, looked up without a network in the tables that the SageMaker SDK ships.

The tables are read as data: a version that does not exist is an error while settings are read, before the SDK's import
has cost its seconds. Tests compare every address with the SDK's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from pedigree.aws import pytorch
from pedigree.aws.errors import ImageNotFoundError, NoImageInRegionError
from pedigree.aws.regions import dns_suffix

TRAINING = "training"
INFERENCE = "inference"
_OLDEST_CUDA = 12
# The unified images have no Python in their address, and this one inside.
_UNIFIED_PYTHON = "py312"


@dataclass(frozen=True)
class PyTorchImage:
    """A PyTorch image of AWS: for training or inference, by version and, where a version has several, by Python."""

    scope: str
    version: str
    python: str = ""

    @property
    def has_smddp(self) -> bool:
        """Whether smdistributed.dataparallel is inside; AWS took it out of later images."""
        return pytorch.has_smddp(pytorch.release(self.version))

    @property
    def has_smdebug(self) -> bool:
        """Whether the Debugger's library is inside; AWS took it out of later images."""
        return pytorch.has_smdebug(pytorch.release(self.version))

    @property
    def python_version(self) -> tuple[int, int] | None:
        """The Python inside, if the SDK's tables name it."""
        offered = dict(_entries(self.scope)).get(self.version, {}).get("py_versions", ())
        match = re.fullmatch(r"py(\d)(\d*)", self.python if self.python in offered else next(iter(offered), ""))
        return (int(match[1]), int(match[2] or 0)) if match else None

    @property
    def cuda(self) -> int:
        """The major version of CUDA inside: from the address, or the oldest that addresses without one can have."""
        flavor = dict(_entries(self.scope)).get(self.version, {}).get("container_version", {}).get("gpu", "")
        match = re.match(r"cu(\d\d)", flavor)
        return int(match[1]) if match else _OLDEST_CUDA

    def uri(self, processor: str, region: str) -> str:
        """The address of the image for a processor (cpu, gpu) in a region."""
        entry = self._entry()
        if processor not in ("cpu", "gpu"):
            raise ImageNotFoundError(
                f"AWS has no PyTorch {self.scope} image for {processor} instances",
                "choose another type or set image_uri",
            )
        repository = _repository(entry, region, f"PyTorch {self.version} {self.scope} image")
        return f"{repository}:{self._tag(entry, processor)}"

    def _entry(self) -> Mapping[str, Any]:
        entries = dict(_entries(self.scope))
        if self.version not in entries:
            newest = ", ".join(list(entries)[-1:-4:-1])
            raise ImageNotFoundError(
                f"the SDK knows no PyTorch {self.scope} image {self.version}",
                f"use one like {newest}, or set image_uri",
            )
        offered = entries[self.version].get("py_versions", (_UNIFIED_PYTHON,))
        if self.python and self.python not in offered:
            raise ImageNotFoundError(
                f"the PyTorch {self.version} {self.scope} image has {', '.join(offered)}, not {self.python}", "use that"
            )
        return entries[self.version]

    def _tag(self, entry: Mapping[str, Any], processor: str) -> str:
        if "container_version" in entry:
            return f"{entry['tag_prefix']}-{entry['container_version'][processor]}"
        return f"{self.version}-{processor}-{self.python or entry['py_versions'][0]}"


def debugger_rules(region: str) -> str:
    """The address of the image that evaluates the Debugger's built-in rules."""
    entry = _table("debugger")["versions"]["latest"]
    return f"{_repository(entry, region, 'Debugger rule image')}:latest"


def _entries(scope: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for framework in ("pytorch", "pytorch-amzn2023"):
        table = _table(framework).get(scope, {"versions": {}, "version_aliases": {}})
        aliases = {alias: table["versions"][full] for alias, full in table["version_aliases"].items()}
        yield from (aliases | table["versions"]).items()


def _repository(entry: Mapping[str, Any], region: str, image: str) -> str:
    if region not in entry["registries"]:
        raise NoImageInRegionError(f"the SDK knows no {image} in {region}", "choose another region or set image_uri")
    account = entry["registries"][region]
    return f"{account}.dkr.ecr.{region}.{dns_suffix(region)}/{entry['repository']}"


@cache
def _table(framework: str) -> Mapping[str, Any]:
    try:
        path = distribution("sagemaker-core").locate_file(f"sagemaker/core/image_uri_config/{framework}.json")
    except PackageNotFoundError:
        raise ImageNotFoundError("the SageMaker SDK is not installed", "install it, or set image_uri") from None
    table: Mapping[str, Any] = json.loads(Path(str(path)).read_text(encoding="utf-8"))
    return table
