"""IAM's operations with policies: moto keeps them, and they are refused here if the authorizer could not read them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from werkzeug import Response

from pedigree.iam import PolicyKind
from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.http.service import Service
from pedigree.localaws.iam.policy_documents import read_policy

_MALFORMED = "MalformedPolicyDocument"
_OF_AWS = "arn:aws:iam::aws:policy/"


@dataclass(frozen=True)
class IamOperations:
    """Reads each policy before moto stores it."""

    _moto: Service

    def put_user_policy(self, exchange: Exchange) -> Response:
        return self._with_policy(exchange)

    def put_group_policy(self, exchange: Exchange) -> Response:
        return self._with_policy(exchange)

    def put_role_policy(self, exchange: Exchange) -> Response:
        return self._with_policy(exchange)

    def create_policy(self, exchange: Exchange) -> Response:
        return self._with_policy(exchange)

    def create_policy_version(self, exchange: Exchange) -> Response:
        _check_own(exchange)
        return self._with_policy(exchange)

    def delete_policy_version(self, exchange: Exchange) -> Response:
        return self._of_own_policy(exchange)

    def set_default_policy_version(self, exchange: Exchange) -> Response:
        return self._of_own_policy(exchange)

    def delete_policy(self, exchange: Exchange) -> Response:
        return self._of_own_policy(exchange)

    def tag_policy(self, exchange: Exchange) -> Response:
        return self._of_own_policy(exchange)

    def untag_policy(self, exchange: Exchange) -> Response:
        return self._of_own_policy(exchange)

    def create_role(self, exchange: Exchange) -> Response:
        return self._with_trust(exchange, "AssumeRolePolicyDocument")

    def update_assume_role_policy(self, exchange: Exchange) -> Response:
        return self._with_trust(exchange, "PolicyDocument")

    def _of_own_policy(self, exchange: Exchange) -> Response:
        _check_own(exchange)
        return self._moto(exchange)

    def _with_policy(self, exchange: Exchange) -> Response:
        read_policy(exchange.members["PolicyDocument"], "The policy", PolicyKind.IDENTITY, _MALFORMED)
        return self._moto(exchange)

    def _with_trust(self, exchange: Exchange, member: str) -> Response:
        if not _is_json(exchange.members[member]):
            raise ServiceError(_MALFORMED, "This policy contains invalid Json")
        read_policy(exchange.members[member], "The trust policy", PolicyKind.TRUST, _MALFORMED)
        return self._moto(exchange)


def _check_own(exchange: Exchange) -> None:
    """Refuse to change a policy that AWS manages."""
    arn = exchange.members["PolicyArn"]
    if arn.startswith(_OF_AWS):
        raise ServiceError("AccessDenied", f"{arn} is managed by AWS and cannot be changed.", 403)


def _is_json(text: str) -> bool:
    """Return whether a text is JSON, which AWS says in other words than of a policy's content."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
