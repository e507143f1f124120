"""The call of a request: an operation of a service, with its members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """An operation and its request's members; the service is named as in a credential scope."""

    service: str
    operation: str
    members: Mapping[str, Any]
    region: str
