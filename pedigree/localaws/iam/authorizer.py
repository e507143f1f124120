"""The gate: a call goes on if the policies of whoever asks allow all that it needs, and nothing forbids it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from pedigree.iam import Decision, Kind, Outcome, Request, decide, service
from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.iam import needs
from pedigree.localaws.iam.actions import TABLES
from pedigree.localaws.iam.callers import Caller, People, readable
from pedigree.localaws.iam.calls import Call, Known
from pedigree.localaws.iam.needs import Table
from pedigree.localaws.iam.refusals import denied

Hear: TypeAlias = Callable[[Caller, Request, Decision], None]
"""Told what is decided, and by which statement, each time that somebody asks for something."""
_TAKING = ("sts:AssumeRole", "sts:TagSession")


def unheard(_caller: Caller, _request: Request, _decision: Decision) -> None:
    """Nobody is told."""


class Gate:
    """Decides calls; what is not enforced is always allowed."""

    def __init__(self, people: People, known: Known, *, is_enforced: bool = True, hear: Hear = unheard) -> None:
        self.people = people
        self._known = known
        self._hear = hear
        self.is_enforced = is_enforced

    def check_call(self, caller: Caller, call: Call) -> None:
        """Let an operation go on, or raise DeniedError."""
        table = TABLES.get(call.service, Table(call.service, call.service, {}))
        if self._must_decide(caller) or call.service == "sts":
            self.check(caller, needs.requests(table, call, self._known), call.region)

    def check(self, caller: Caller, requests: Iterable[Request], region: str) -> None:
        """Let requests go on, or raise DeniedError for the first that may not."""
        if not self.is_enforced:
            return
        usual = self._context(caller, region)
        for request in requests:
            asked = replace(request, context={**usual, **request.context})
            if request.action in _TAKING:
                self._check_taking(caller, asked)
            elif not caller.is_root:
                self._check(caller, asked)

    def check_trust(self, role_arn: str, principal: str, source: str) -> None:
        """Let a service take a role for one of its resources, or say as services do that it may not."""
        context: dict[str, Any] = {
            "aws:SourceAccount": self._known.account,
            "aws:SourceArn": source,
            "aws:SecureTransport": True,
        }
        request = Request(_TAKING[0], role_arn, context, service(principal))
        if self.is_enforced and not decide(self.people.trust(role_arn), request).allowed:
            raise InvalidRequestError(
                f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
                f"'{principal}' to assume the role."
            )

    def _must_decide(self, caller: Caller) -> bool:
        return self.is_enforced and not caller.is_root

    def _check(self, caller: Caller, request: Request) -> None:
        """What whoever asks may do, by their own policies or by the resource's."""
        text = self._known.policy(request.resource)
        hanging = readable(text, request.resource, Kind.RESOURCE) if text else None
        policies = (*caller.policies, hanging) if hanging else caller.policies
        decision = decide(policies, replace(request, principal=caller.principal))
        self._hear(caller, request, decision)
        if not decision.allowed:
            is_own = hanging is None or decision.statement not in hanging.statements
            raise denied(caller.arn, request, decision, by=f"{'identity' if is_own else 'resource'}-based policy")
        _check_limits(caller, request)

    def _check_taking(self, caller: Caller, request: Request) -> None:
        """Taking a role is the role's to allow."""
        asked = replace(request, principal=caller.principal)
        trust = self.people.trust(request.resource)
        decision = decide((*trust, *caller.policies), asked) if trust else Decision(Outcome.IMPLICIT_DENY)
        if not decision.allowed:
            raise denied(caller.arn, asked, decision)
        _check_limits(caller, request)

    def _context(self, caller: Caller, region: str) -> Mapping[str, Any]:
        """What holds for every request, whoever makes it of which service."""
        moment = self.people.now()
        _, is_user, name = caller.arn.partition(":user/")
        return {
            **({"aws:username": name.rpartition("/")[2]} if is_user else {}),
            **({"aws:RequestedRegion": region} if region else {}),
            "aws:CurrentTime": f"{dt.datetime.fromtimestamp(moment, dt.timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
            "aws:EpochTime": int(moment),
            "aws:SecureTransport": True,
            "aws:SourceIp": "127.0.0.1",
            "aws:PrincipalArn": sorted(caller.principal.names, key=len)[0],
            "aws:PrincipalAccount": self._known.account,
            "aws:userid": caller.user_id,
            "aws:PrincipalType": "AssumedRole" if caller.token else "User",
        }


def _check_limits(caller: Caller, request: Request) -> None:
    for limit in caller.limits:
        decision = decide(limit.policies, request)
        if not decision.allowed:
            raise denied(caller.arn, request, decision, by=limit.called)
