"""Federated users: sessions that a user of IAM, or the account itself, gives to somebody by name."""

from __future__ import annotations

from moto.sts.models import AssumedRole, STSBackend


class FederatedUser(AssumedRole):
    """A session whose policies are those of the user who gave it out; moto keeps it among those of roles."""

    @property
    def federated_by(self) -> str:
        """The ARN of the user, or of the account's root."""
        return self.role_arn

    @property
    def user_id(self) -> str:
        return f"{self.account_id}:{self.session_name}"

    @property
    def arn(self) -> str:
        return f"arn:{self.partition}:sts::{self.account_id}:federated-user/{self.session_name}"


def federated_user(backend: STSBackend, name: str, giver: str, policy: str | None, seconds: int) -> FederatedUser:
    """Make a session, with keys of its own, and keep it."""
    account, key = backend._create_access_key(role=giver)
    taken = FederatedUser(account, backend.region_name, key, name, giver, policy or "", seconds, "")
    backend.assumed_roles.append(taken)
    return taken
