"""Looks up who an access key belongs to, with the policies that hold for them, in IAM's and STS's state.

Callers are cached until IAM changes: a changed policy applies to the next call.
"""

from __future__ import annotations

import hmac
import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeAlias

from pedigree.iam import Effect, Policy, PolicyKind, identity, parse, session
from pedigree.iam.errors import PolicyError
from pedigree.localaws.http.caller import Caller, Limit
from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.access_key import AccessKey

_LOG = logging.getLogger(__name__)
_GLOBAL = "aws"
UseBackend: TypeAlias = Callable[[str, str], AbstractContextManager[Any]]
"""Opens moto's backend of a service and a region, for as long as nothing else uses it."""


class UnknownKeyError(ServiceError):
    """Credentials that were never given out, or that have expired."""

    def __init__(self, *, is_expired: bool = False) -> None:
        code, word = ("ExpiredTokenException", "expired") if is_expired else ("UnrecognizedClientException", "invalid")
        super().__init__(code, f"The security token included in the request is {word}.", 403)


class Callers:
    """The users and sessions that have keys, and the trust policies of roles."""

    def __init__(
        self, use_backend: UseBackend, account: str, now: Callable[[], float], root_keys: Iterable[AccessKey] = ()
    ) -> None:
        self._use_backend = use_backend
        self._account = account
        self.now = now
        self._lock = threading.Lock()
        self._callers: dict[str, Caller] = {}
        self._trusts: dict[str, tuple[Policy, ...]] = {}
        self._version = 0
        arn = f"arn:aws:iam::{account}:root"
        self.root = Caller(arn, account, identity(arn), (_everything(),), is_root=True)
        self._roots = {key.id: replace(self.root, secret=key.secret) for key in root_keys}

    def forget(self, service: str) -> None:
        """Look everything up anew, if it is IAM that has changed."""
        if service == "iam":
            with self._lock:
                self._version += 1
                self._callers.clear()
                self._trusts.clear()

    def caller_of(self, key: str, token: str) -> Caller:
        """The caller that a key belongs to; UnknownKeyError if it belongs to none, or has expired."""
        caller = self._roots.get(key) or self._callers.get(key) or self._look_up(key)
        if not hmac.compare_digest(caller.token.encode(), token.encode()):
            raise UnknownKeyError
        if caller.expires is not None and caller.expires < self.now():
            raise UnknownKeyError(is_expired=True)
        return caller

    def session_of(self, role_arn: str, name: str) -> Caller:
        """The caller of a service that acts as a role in a session of this name; it has no key."""
        caller = self._callers.get(role_arn)
        if caller is None:
            version = self._version
            with self._use_backend("iam", _GLOBAL) as iam:
                caller = _service(iam, role_arn)
            with self._lock:
                if version == self._version:
                    self._callers[role_arn] = caller
        role = role_arn.rpartition("/")[2]
        arn = f"arn:aws:sts::{role_arn.split(':')[4]}:assumed-role/{role}/{name}"
        principal = session(role_arn, arn, has_boundary=bool(caller.limits))
        return replace(caller, arn=arn, user_id=f"{caller.user_id}:{name}", principal=principal)

    def trust(self, role_arn: str) -> tuple[Policy, ...]:
        """The trust policy of a role; empty if no role has that ARN."""
        policies = self._trusts.get(role_arn)
        if policies is not None:
            return policies
        version = self._version
        with self._use_backend("iam", _GLOBAL) as iam:
            role = _role(iam, role_arn)
            text = role.assume_role_policy_document if role else ""
        policies = (parse_or_deny(text, "the role's trust", PolicyKind.TRUST),) if text else ()
        with self._lock:
            if version == self._version:
                self._trusts[role_arn] = policies
        return policies

    def _look_up(self, key: str) -> Caller:
        version = self._version
        with self._use_backend("iam", _GLOBAL) as iam, self._use_backend("sts", _GLOBAL) as sts:
            taken = sts.get_assumed_role_from_access_key(key)
            user = None if taken else iam.get_user_from_access_key_id(key)
            caller = _session(iam, taken) if taken else _user(iam, user, key) if user else None
        if caller is None:
            raise UnknownKeyError
        with self._lock:
            if version == self._version:
                self._callers[key] = caller
        return caller


def _service(iam: Any, role_arn: str) -> Caller:
    """The caller that all of a role's sessions have in common."""
    role = _role(iam, role_arn)
    if role is None:
        return Caller(role_arn, "", identity(role_arn))
    limits = _boundary(iam, role.permissions_boundary_arn)
    policies = _policies(role.policies.items(), role.managed_policies.values())
    return Caller(role_arn, role.id, identity(role_arn), policies, limits, _tags(role))


def _session(iam: Any, taken: Any) -> Caller:
    if giver := getattr(taken, "federated_by", ""):
        return _federated(iam, taken, giver)
    role = _role(iam, taken.role_arn)
    limits = _boundary(iam, role.permissions_boundary_arn) if role else ()
    return Caller(
        taken.arn,
        taken.user_id,
        session(taken.role_arn, taken.arn, has_boundary=bool(limits)),
        _policies(role.policies.items(), role.managed_policies.values()) if role else (),
        (*limits, *_session_limit(iam, taken)),
        tags={**_tags(role), **getattr(taken, "session_tags", {})},
        transitive_tags=getattr(taken, "transitive_tags", {}),
        secret=taken.secret_access_key,
        token=taken.session_token,
        expires=taken.expiration.timestamp(),
    )


def _federated(iam: Any, taken: Any, giver: str) -> Caller:
    """A federated user: who gave out the keys may do something, and a session policy allows it as well."""
    user = next((user for user in iam.users.values() if user.arn == giver), None)
    policies = (_everything(),) if giver.endswith(":root") else _user_policies(iam, user) if user else ()
    boundary = _boundary(iam, getattr(user, "permissions_boundary_arn", None))
    return Caller(
        taken.arn,
        taken.user_id,
        identity(taken.arn, has_boundary=True),
        policies,
        (*boundary, *(_session_limit(iam, taken) or (Limit("session policy", ()),))),
        tags=getattr(taken, "session_tags", {}),
        secret=taken.secret_access_key,
        token=taken.session_token,
        expires=taken.expiration.timestamp(),
    )


def _session_limit(iam: Any, taken: Any) -> tuple[Limit, ...]:
    """The policies that a session was taken with: one of them must allow a request as well."""
    arns = getattr(taken, "session_policy_arns", ())
    inline = [("the session's policy", taken.policy)] if taken.policy else []
    managed = [policy for policy in map(iam.managed_policies.get, arns) if policy is not None]
    return (Limit("session policy", _policies(inline, managed)),) if inline or arns else ()


def _user(iam: Any, user: Any, key: str) -> Caller | None:
    active = (owned for owned in user.access_keys if owned.access_key_id == key and owned.status == "Active")
    own_key = next(active, None)
    if own_key is None:
        return None
    limits = _boundary(iam, getattr(user, "permissions_boundary_arn", None))
    principal = identity(user.arn, has_boundary=bool(limits))
    tags = {tag["Key"]: tag["Value"] for tag in iam.tagger.list_tags_for_resource(user.arn)["Tags"]}
    policies, secret = _user_policies(iam, user), own_key.secret_access_key
    return Caller(user.arn, user.id, principal, policies, limits, tags, secret=secret)


def _user_policies(iam: Any, user: Any) -> tuple[Policy, ...]:
    """The policies of a user and of its groups."""
    owners = (user, *iam.get_groups_for_user(user.name))
    inline = [entry for owner in owners for entry in owner.policies.items()]
    return _policies(inline, [policy for owner in owners for policy in owner.managed_policies.values()])


def _tags(role: Any) -> Mapping[str, str]:
    return {tag["Key"]: tag["Value"] for tag in role.tags} if role else {}


def _role(iam: Any, arn: str) -> Any:
    return next((role for role in iam.roles.values() if role.arn == arn), None)


def _boundary(iam: Any, arn: str | None) -> tuple[Limit, ...]:
    policy = iam.managed_policies.get(arn) if arn else None
    return (Limit("permissions boundary", _policies((), [policy] if policy else [])),) if arn else ()


def _policies(inline: Iterable[tuple[str, str]], managed: Iterable[Any]) -> tuple[Policy, ...]:
    texts = [*inline, *((policy.name, default_document(policy)) for policy in managed)]
    return tuple(parse_or_deny(text, name) for name, text in texts)


def default_document(policy: Any) -> str:
    """The default version of a managed policy."""
    return next((str(version.document) for version in policy.versions if version.is_default), "{}")


@lru_cache(maxsize=1024)
def parse_or_deny(text: str, name: str, kind: PolicyKind = PolicyKind.IDENTITY) -> Policy:
    """A policy from its text. One that cannot be read may be a Deny, so it denies everything."""
    try:
        return parse(json.loads(text), name=name, kind=kind)
    except (ValueError, PolicyError) as error:
        _LOG.warning("a policy that cannot be read denies everything: %s", error)
        return replace(_everything(Effect.DENY), name=name, kind=kind)


def _everything(effect: Effect = Effect.ALLOW) -> Policy:
    return parse({"Version": "2012-10-17", "Statement": {"Effect": effect.value, "Action": "*", "Resource": "*"}})
