"""What authorization looks up about the resources that calls name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Resources(Protocol):
    """The resources of an account; each lookup gives nothing where there is no such resource."""

    @property
    def account(self) -> str:
        """The account's id."""
        ...

    def tags(self, arn: str) -> Mapping[str, str]:
        """The tags of a resource."""
        ...

    def policy(self, resource: str) -> str:
        """The resource-based policy of a resource, as text."""
        ...

    def execution_of(self, token: str) -> str:
        """The ARN of the execution whose step waits with a token."""
        ...

    def function_of(self, mapping: str, region: str) -> str:
        """The ARN of the function that an event source mapping calls."""
        ...

    def role_named(self, name: str) -> str:
        """The ARN of a role."""
        ...

    def role_in(self, profile: str) -> str:
        """The ARN of the role in an instance profile."""
        ...
