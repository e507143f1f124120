"""AWS's regions and their partitions, read from botocore's own data: no request, and no SDK to import."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.loaders import Loader

from pedigree.errors import InvalidValueError
from pedigree.language.near import suggest


def existing(region: str) -> str:
    """Returns the region; raises a ValueError that names the nearest one if AWS does not have it."""
    _partition(region)
    return region


def dns_suffix(region: str) -> str:
    """The domain of the region's endpoints: amazonaws.com, or that of another partition."""
    return str(_partition(region)["dnsSuffix"])


def partition(region: str) -> str:
    """The partition in the region's ARNs: aws, aws-cn, aws-us-gov, …"""
    return str(_partition(region)["name"])


@cache
def _partition(region: str) -> Mapping[str, Any]:
    outputs: dict[str, Mapping[str, Any]] = {
        name: candidate["outputs"]
        for candidate in Loader().load_data("partitions")["partitions"]
        for name in candidate["regions"]
        if not name.endswith("-global")
    }
    if region not in outputs:
        raise InvalidValueError("is no region of AWS", suggest(region, outputs, "regions look like us-east-1"))
    return outputs[region]
