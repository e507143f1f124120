"""Who makes a request, as data: an identity of IAM with the policies that hold for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pedigree.iam import Policy, Principal


@dataclass(frozen=True)
class Limit:
    """Policies that must allow a request as well; the name is the one that AWS's refusals use."""

    name: str
    policies: tuple[Policy, ...]


@dataclass(frozen=True)
class Caller:
    """A user, a session of a role, or the account's root; a session has a token and an expiry.

    Tags are those of the user, or those of the role and its session; the transitive ones are those of the sessions too
    that the session takes. The secret is that of the access key.
    """

    arn: str
    user_id: str
    principal: Principal
    policies: tuple[Policy, ...] = ()
    limits: tuple[Limit, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive_tags: Mapping[str, str] = field(default_factory=dict)
    is_root: bool = False
    secret: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    expires: float | None = None
