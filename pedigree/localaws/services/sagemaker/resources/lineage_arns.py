"""The ARNs of lineage's entities: an artifact has that of its address, all others that of their name."""

from __future__ import annotations

import hashlib

from pedigree.localaws.kernel.world import World

_DIGITS = 32


def artifact_arn(world: World, address: str) -> str:
    """The ARN of the artifact of an address, of which there is one."""
    return entity_arn(world, "artifact", hashlib.sha256(address.encode()).hexdigest()[:_DIGITS])


def entity_arn(world: World, arn_path: str, name: str) -> str:
    """The ARN of an entity by its name, in small letters."""
    return world.arn("sagemaker", f"{arn_path}/{name.lower()}")
