"""The operations of STS that moto alone gets wrong: who a caller is, and what a session is limited to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug import Response

from pedigree.iam import PolicyKind
from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.http.service import Service
from pedigree.localaws.iam import sts_requests
from pedigree.localaws.iam.callers import UseBackend
from pedigree.localaws.iam.policy_documents import read_policy

_GLOBAL = "aws"
_UNSUPPORTED = ("SerialNumber", "TokenCode", "SourceIdentity", "ProvidedContexts")
_DEFAULT_SECONDS = 3600
_MOST_POLICIES = 10
_MALFORMED = "MalformedPolicyDocument"


@dataclass(frozen=True)
class StsOperations:
    """Answers for callers, and checks what a session is to be limited to."""

    _use_backend: UseBackend
    _moto: Service

    def get_caller_identity(self, exchange: Exchange) -> Mapping[str, Any]:
        """Say whose keys the request was signed with."""
        caller = exchange.caller
        if caller is None:
            raise LookupError("the caller was not looked up")
        return {"Arn": caller.arn, "UserId": caller.user_id, "Account": caller.arn.split(":")[4]}

    def assume_role(self, exchange: Exchange) -> Response:
        """Take a role, if all that is to limit the session can be read and is enforced."""
        members = exchange.members
        for name in _UNSUPPORTED:
            if members.get(name):
                raise InvalidRequestError(f"{name} is not supported by the local AWS")
        if members.get("Policy"):
            read_policy(members["Policy"], "The session policy", PolicyKind.SESSION, _MALFORMED)
        self._check_iam(members)
        inherited = exchange.caller.transitive_tags if exchange.caller else {}
        sts_requests.check_tags(members, inherited)
        return self._moto(exchange)

    def get_federation_token(self, exchange: Exchange) -> Response:
        """Give out keys of a federated user, which only a user or the account itself may do."""
        if exchange.caller and exchange.caller.token:
            raise ServiceError("AccessDenied", "Cannot call GetFederationToken with session credentials", 403)
        if exchange.members.get("Policy"):
            read_policy(exchange.members["Policy"], "The session policy", PolicyKind.SESSION, _MALFORMED)
        sts_requests.check_tags(exchange.members, {})
        return self._moto(exchange)

    def _check_iam(self, members: Mapping[str, Any]) -> None:
        """Compare a request with the policies and the role in IAM's state."""
        arns = [policy.get("arn", "") for policy in members.get("PolicyArns", ())]
        if len(arns) > _MOST_POLICIES:
            raise InvalidRequestError(f"PolicyArns has {len(arns)} entries, and {_MOST_POLICIES} are allowed")
        with self._use_backend("iam", _GLOBAL) as iam:
            missing = [arn for arn in arns if arn not in iam.managed_policies]
            role = next((role for role in iam.roles.values() if role.arn == members["RoleArn"]), None)
            longest = int(role.max_session_duration or _DEFAULT_SECONDS) if role else _DEFAULT_SECONDS
        if missing:
            raise ServiceError("NoSuchEntity", f"Policy {missing[0]} does not exist or is not attachable.", 404)
        if int(members.get("DurationSeconds", 0)) > longest:
            raise InvalidRequestError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
