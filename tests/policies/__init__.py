"""What each role must be able to do, and what it must not: one table for each role, evaluated by pedigree.iam.

The tables are the specification of the policies in iam/: change a table first, then the policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pedigree.iam import Request


@dataclass(frozen=True, eq=False)
class Table:
    """Requests of a role under some settings; in trusts and trusts_not, requests of principals that assume it."""

    role: str
    may: tuple[Request, ...] = ()
    may_not: tuple[Request, ...] = ()
    trusts: tuple[Request, ...] = ()
    trusts_not: tuple[Request, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
