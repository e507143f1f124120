"""A model server's answer."""

from __future__ import annotations

from dataclasses import dataclass

from pedigree.localaws.services.sagemaker.resources.model_containers import PRIMARY


@dataclass(frozen=True)
class Reply:
    """A model server's answer, how long it took, and the container that gave it."""

    status: int
    content_type: str
    content: bytes
    seconds: float
    container: str = PRIMARY
