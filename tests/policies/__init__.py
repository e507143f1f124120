"""What each role must be able to do, and what it must not: one table a role, decided by checks/iam.

A table reads as specification: whoever changes a policy in iam/ changes it first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pedigree.iam import Request


@dataclass(frozen=True, eq=False)
class Table:
    """Requests of a role under some settings; those of trusts are made by whoever wants to take it."""

    role: str
    may: tuple[Request, ...] = ()
    may_not: tuple[Request, ...] = ()
    trusts: tuple[Request, ...] = ()
    trusts_not: tuple[Request, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
