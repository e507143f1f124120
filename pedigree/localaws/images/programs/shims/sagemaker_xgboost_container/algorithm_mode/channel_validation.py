"""Which channels the built-in algorithm reads, and in which forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sagemaker_algorithm_toolkit.exceptions import UserError
from sagemaker_xgboost_container.data_utils import VALID_CONTENT_TYPES, VALID_PIPED_CONTENT_TYPES

_CONTENT_TYPE = "ContentType"
# AWS's agent says File for FastFile, which looks the same from inside.
_MODES = {"File": VALID_CONTENT_TYPES, "FastFile": VALID_CONTENT_TYPES, "Pipe": VALID_PIPED_CONTENT_TYPES}
_DISTRIBUTIONS = ("FullyReplicated", "ShardedByS3Key")
_CODE = ("text/python", "File", "FullyReplicated")


def validated(given: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The channels, each with a content type; UserError says what is wrong with them."""
    if "train" not in given:
        raise UserError("Missing required channel: train")
    channels = {name: {_CONTENT_TYPE: "text/libsvm", **channel} for name, channel in given.items()}
    for name, channel in channels.items():
        if name not in ("train", "validation", "code"):
            raise UserError(f"Extraneous channel found: {name}")
        if not _is_supported(name, channel):
            raise UserError(f"Channel configuration for '{name}' channel is not supported: {channel}")
    return channels


def _is_supported(name: str, channel: Mapping[str, Any]) -> bool:
    kind, mode = channel[_CONTENT_TYPE], channel.get("TrainingInputMode", "File")
    distribution = channel.get("S3DistributionType", _DISTRIBUTIONS[0])
    if name == "code":
        return (kind, mode, distribution) == _CODE
    return kind in _MODES.get(mode, ()) and distribution in _DISTRIBUTIONS
