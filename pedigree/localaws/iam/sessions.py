"""Roles that services assume: for executions, jobs, models, functions and schedules, each for one resource.

A service's session is made in this process, after the role's trust policy allows it. It stays valid for as long as a
job may run; on AWS a job's machines renew theirs. The same role for the same resource is the same session.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from pedigree.localaws.http.caller import Caller
from pedigree.localaws.iam.authorizer import Authorizer
from pedigree.localaws.iam.callers import UseBackend
from pedigree.localaws.kernel.client_access import ClientAccess
from pedigree.localaws.kernel.clients import ServiceRole

SESSION = "SageMaker"
"""The default name of a session."""
_GLOBAL = "aws"
_SECONDS = 30 * 86_400
_RENEWED_SECONDS = 86_400


class Sessions:
    """The sessions of services, by role and resource."""

    def __init__(
        self,
        authorizer: Authorizer,
        use_backend: UseBackend,
        access: Callable[[], ClientAccess],
        now: Callable[[], float],
    ) -> None:
        self._authorizer = authorizer
        self._use_backend = use_backend
        self._access = access
        self._now = now
        self._lock = threading.Lock()
        self._sessions: dict[tuple[str, str, str], Any] = {}

    def assume(self, role: ServiceRole) -> Mapping[str, str]:
        """The environment of a process that acts as a role; ServiceError if the service may not assume it."""
        return self.credentials(role.role, role.principal, role.source, role.session)

    def credentials(self, role_arn: str, principal: str, source: str, session: str = SESSION) -> Mapping[str, str]:
        """The environment of a process that acts as a role; ServiceError if the service may not assume the role."""
        taken = self._session(role_arn, principal, source, session)
        return {
            **self._access().environment(),
            "AWS_ACCESS_KEY_ID": taken.access_key_id,
            "AWS_SECRET_ACCESS_KEY": taken.secret_access_key,
            "AWS_SESSION_TOKEN": taken.session_token,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def caller(self, role_arn: str, principal: str, source: str, session: str = SESSION) -> Caller:
        """The caller of what a service does itself, as a role; ServiceError if it may not assume the role."""
        self._authorizer.check_trust(role_arn, principal, source)
        return self._authorizer.callers.session_of(role_arn, session)

    def _session(self, role_arn: str, principal: str, source: str, session: str) -> Any:
        self._authorizer.check_trust(role_arn, principal, source)
        with self._lock:
            taken = self._sessions.get((role_arn, source, session))
            if taken is None or taken.expiration.timestamp() - self._now() < _SECONDS - _RENEWED_SECONDS:
                taken = self._made(role_arn, session)
                self._sessions[role_arn, source, session] = taken
        return taken

    def _made(self, role_arn: str, session: str) -> Any:
        with self._use_backend("iam", _GLOBAL), self._use_backend("sts", _GLOBAL) as sts:
            expired = [role for role in sts.assumed_roles if role.expiration.timestamp() < self._now()]
            for role in expired:
                sts.assumed_roles.remove(role)
            return sts.assume_role(
                region_name="us-east-1",
                role_session_name=session,
                role_arn=role_arn,
                policy="",
                duration=_SECONDS,
                external_id="",
            )
