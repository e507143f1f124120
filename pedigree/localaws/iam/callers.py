"""Who asks: what IAM and STS know of an access key, with the policies that hold for whoever has it.

What is known is kept until IAM changes; then it is looked up anew, so that a changed policy holds with the next call.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from pedigree.iam import Kind, Policy, Principal, identity, parse, session
from pedigree.iam.errors import PolicyError
from pedigree.localaws.http.protocol.errors import ServiceError

_LOG = logging.getLogger(__name__)
_GLOBAL = "aws"
ROOT_KEY = "local"
Held: TypeAlias = Callable[[str, str], AbstractContextManager[Any]]
"""What IAM (or STS) holds, for as long as nobody else uses it."""


class UnknownKeyError(ServiceError):
    """Credentials that nobody gave out, or that are over."""

    def __init__(self, *, is_over: bool = False) -> None:
        code, word = ("ExpiredTokenException", "expired") if is_over else ("UnrecognizedClientException", "invalid")
        super().__init__(code, f"The security token included in the request is {word}.", 403)


@dataclass(frozen=True)
class Limit:
    """Policies that must allow a request as well, and what AWS calls them."""

    called: str
    policies: tuple[Policy, ...]


@dataclass(frozen=True)
class Caller:
    """Somebody who asks."""

    arn: str
    user_id: str
    principal: Principal
    policies: tuple[Policy, ...] = ()
    limits: tuple[Limit, ...] = ()
    is_root: bool = False
    token: str = ""
    until: float | None = None


class People:
    """Everybody whom IAM knows."""

    def __init__(self, held: Held, account: str, now: Callable[[], float]) -> None:
        self._held = held
        self._account = account
        self.now = now
        self._lock = threading.Lock()
        self._known: dict[str, Caller] = {}
        self._trusts: dict[str, tuple[Policy, ...]] = {}
        self._version = 0
        arn = f"arn:aws:iam::{account}:root"
        self.root = Caller(arn, account, identity(arn), (_everything(),), is_root=True)

    def changed(self, service: str) -> None:
        """Forget what is known, if it was IAM that changed."""
        if service == "iam":
            with self._lock:
                self._version += 1
                self._known.clear()
                self._trusts.clear()

    def asking(self, key: str, token: str) -> Caller:
        """Whoever has a key; UnknownKeyError if nobody has, or no more."""
        if key == ROOT_KEY:
            return self.root
        caller = self._known.get(key) or self._looked_up(key)
        if caller.token != token:
            raise UnknownKeyError
        if caller.until is not None and caller.until < self.now():
            raise UnknownKeyError(is_over=True)
        return caller

    def trust(self, role_arn: str) -> tuple[Policy, ...]:
        """Who may take a role; nobody, if there is none of that ARN."""
        known = self._trusts.get(role_arn)
        if known is not None:
            return known
        version = self._version
        with self._held("iam", _GLOBAL) as iam:
            role = _role(iam, role_arn)
            text = role.assume_role_policy_document if role else ""
        policy = readable(text, "the role's trust", Kind.TRUST) if text else None
        found = (policy,) if policy else ()
        with self._lock:
            if version == self._version:
                self._trusts[role_arn] = found
        return found

    def _looked_up(self, key: str) -> Caller:
        version = self._version
        with self._held("iam", _GLOBAL) as iam, self._held("sts", _GLOBAL) as sts:
            taken = sts.get_assumed_role_from_access_key(key)
            user = None if taken else iam.get_user_from_access_key_id(key)
            caller = _session(iam, taken) if taken else _user(iam, user, key) if user else None
        if caller is None:
            raise UnknownKeyError
        with self._lock:
            if version == self._version:
                self._known[key] = caller
        return caller


def _session(iam: Any, taken: Any) -> Caller:
    role = _role(iam, taken.role_arn)
    limits = _boundary(iam, role.permissions_boundary_arn) if role else ()
    own = readable(taken.policy, "the session's policy") if taken.policy else None
    if taken.policy:
        limits = (*limits, Limit("session policy", (own,) if own else ()))
    return Caller(
        taken.arn,
        taken.user_id,
        session(taken.role_arn, taken.arn),
        _policies(role.policies.items(), role.managed_policies.values()) if role else (),
        limits,
        token=taken.session_token,
        until=taken.expiration.timestamp(),
    )


def _user(iam: Any, user: Any, key: str) -> Caller | None:
    if not any(one.access_key_id == key and one.status == "Active" for one in user.access_keys):
        return None
    groups = iam.get_groups_for_user(user.name)
    inline = [entry for one in (user, *groups) for entry in one.policies.items()]
    managed = [policy for one in (user, *groups) for policy in one.managed_policies.values()]
    limits = _boundary(iam, getattr(user, "permissions_boundary_arn", None))
    return Caller(user.arn, user.id, identity(user.arn), _policies(inline, managed), limits)


def _role(iam: Any, arn: str) -> Any:
    return next((one for one in iam.roles.values() if one.arn == arn), None)


def _boundary(iam: Any, arn: str | None) -> tuple[Limit, ...]:
    found = iam.managed_policies.get(arn) if arn else None
    return (Limit("permissions boundary", _policies((), [found] if found else [])),) if arn else ()


def _policies(inline: Iterable[tuple[str, str]], managed: Iterable[Any]) -> tuple[Policy, ...]:
    texts = [*inline, *((one.name, _document(one)) for one in managed)]
    read = (readable(text, name) for name, text in texts)
    return tuple(one for one in read if one is not None)


def _document(policy: Any) -> str:
    """The version of a managed policy that holds."""
    return next((str(one.document) for one in policy.versions if one.is_default), "{}")


@lru_cache(maxsize=1024)
def readable(text: str, name: str, kind: Kind = Kind.IDENTITY) -> Policy | None:
    """A policy from its text. One that IAM should never have taken allows nothing."""
    try:
        return parse(json.loads(text), name=name, kind=kind)
    except (ValueError, PolicyError) as error:
        _LOG.warning("a policy that nobody can read allows nothing: %s", error)
        return None


def _everything() -> Policy:
    return parse({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})
