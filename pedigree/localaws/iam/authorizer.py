"""Authorizes calls: a call needs its caller's policies to allow all its actions, and none to deny one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from pedigree.iam import Decision, Outcome, Policy, PolicyKind, Request, decide, service
from pedigree.localaws.http.caller import Caller
from pedigree.localaws.http.protocol.call import Call
from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.iam.actions import TABLES, needs
from pedigree.localaws.iam.actions.needs import ActionTable
from pedigree.localaws.iam.actions.resources import Resources
from pedigree.localaws.iam.callers import Callers, parse_or_deny
from pedigree.localaws.iam.refusals import denied

OnDecision: TypeAlias = Callable[[Caller, Request, Decision], None]
"""Called with each decision, and the statement that it rests on."""
_ASSUMING = ("sts:AssumeRole", "sts:TagSession")
_SAGEMAKER = "sagemaker.amazonaws.com"


def ignore_decision(_caller: Caller, _request: Request, _decision: Decision) -> None:
    """The default of on_decision."""


class Authorizer:
    """Decides calls by IAM's policies; allows everything if it is not enforced."""

    def __init__(
        self,
        callers: Callers,
        resources: Resources,
        *,
        is_enforced: bool = True,
        on_decision: OnDecision = ignore_decision,
    ) -> None:
        self.callers = callers
        self._resources = resources
        self._on_decision = on_decision
        self.is_enforced = is_enforced

    def check_call(self, caller: Caller, call: Call) -> None:
        """Let a call go on, or raise AccessDeniedError."""
        table = TABLES.get(call.service, ActionTable(call.service, call.service, {}))
        if self.must_decide(caller) or call.service == "sts":
            self.check(caller, needs.requests(table, call, self._resources), call.region)

    def check(self, caller: Caller, requests: Iterable[Request], region: str) -> None:
        """Let requests go on, or raise AccessDeniedError for the first that may not."""
        if not self.is_enforced:
            return
        common = self._context(caller, region)
        for request in requests:
            complete = replace(request, context={**common, **request.context})
            if request.action in _ASSUMING:
                self._check_assuming(caller, complete)
            elif not caller.is_root:
                self._check(caller, complete)

    def check_trust(self, role_arn: str, principal: str, source: str) -> None:
        """Let a service assume a role for one of its resources; InvalidRequestError if it may not."""
        context: dict[str, Any] = {
            "aws:SourceAccount": self._resources.account,
            "aws:SourceArn": source,
            "aws:SecureTransport": True,
        }
        if self.is_enforced and principal == _SAGEMAKER and role_arn.split(":")[4] != self._resources.account:
            raise InvalidRequestError("RoleArn: Cross-account pass role is not allowed.")
        request = Request(_ASSUMING[0], role_arn, context, service(principal))
        if self.is_enforced and not decide(self.callers.trust(role_arn), request).allowed:
            raise InvalidRequestError(
                f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
                f"'{principal}' to assume the role."
            )

    def check_service(self, principal: str, request: Request) -> None:
        """Let a service act on a resource without a role, as the resource's policy allows; else AccessDeniedError."""
        if not self.is_enforced:
            return
        decision = decide(self._attached(request.resource), replace(request, principal=service(principal)))
        if not decision.allowed:
            raise denied(principal, request, decision, by="resource-based policy")

    def must_decide(self, caller: Caller) -> bool:
        return self.is_enforced and not caller.is_root

    def _check(self, caller: Caller, request: Request) -> None:
        """Decide by the caller's own policies and the resource's."""
        attached = self._attached(request.resource)
        decision = decide((*caller.policies, *attached), replace(request, principal=caller.principal))
        self._on_decision(caller, request, decision)
        if not decision.allowed:
            is_own = not any(decision.statement in policy.statements for policy in attached)
            raise denied(caller.arn, request, decision, by=f"{'identity' if is_own else 'resource'}-based policy")
        _check_limits(caller, request, decision)

    def _attached(self, resource: str) -> tuple[Policy, ...]:
        """The policy of a resource, if it has one."""
        text = self._resources.policy(resource)
        return (parse_or_deny(text, resource, PolicyKind.RESOURCE),) if text else ()

    def _check_assuming(self, caller: Caller, request: Request) -> None:
        """Decide whether a role may be assumed, by its trust policy."""
        with_principal = replace(request, principal=caller.principal)
        trust = self.callers.trust(request.resource)
        decision = decide((*trust, *caller.policies), with_principal) if trust else Decision(Outcome.IMPLICIT_DENY)
        if caller.is_root and decision.outcome is Outcome.IMPLICIT_DENY and trust:
            decision = decide(trust, self._as_notebook(request))
        if not decision.allowed:
            raise denied(caller.arn, with_principal, decision)
        _check_limits(caller, request, decision)

    def _as_notebook(self, request: Request) -> Request:
        """The request of SageMaker for a notebook: on AWS the root assumes no role, here it stands for SageMaker."""
        notebook = f"arn:aws:sagemaker:{request.context.get('aws:RequestedRegion', '')}:{self._resources.account}"
        source = {"aws:SourceAccount": self._resources.account, "aws:SourceArn": f"{notebook}:notebook-instance/local"}
        return replace(request, context={**request.context, **source}, principal=service(_SAGEMAKER))

    def _context(self, caller: Caller, region: str) -> Mapping[str, Any]:
        """The condition keys that every request has."""
        moment = self.callers.now()
        _, is_user, name = caller.arn.partition(":user/")
        return {
            **({"aws:username": name.rpartition("/")[2]} if is_user else {}),
            **({"aws:RequestedRegion": region} if region else {}),
            "aws:CurrentTime": f"{dt.datetime.fromtimestamp(moment, dt.timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
            "aws:EpochTime": int(moment),
            "aws:SecureTransport": True,
            "aws:SourceIp": "127.0.0.1",
            "aws:PrincipalArn": caller.principal.role or caller.principal.name,
            "aws:PrincipalAccount": self._resources.account,
            "aws:userid": caller.user_id,
            "aws:PrincipalType": _principal_type(caller),
            **{f"aws:PrincipalTag/{key}": value for key, value in caller.tags.items()},
        }


def _principal_type(caller: Caller) -> str:
    if caller.is_root:
        return "Account"
    if ":federated-user/" in caller.arn:
        return "FederatedUser"
    return "AssumedRole" if caller.principal.role else "User"


def _check_limits(caller: Caller, request: Request, granted: Decision) -> None:
    """Let a request pass that boundary and session policies allow; a direct grant is stopped by their Deny only."""
    for limit in caller.limits:
        decision = decide(limit.policies, request)
        if decision.outcome is Outcome.EXPLICIT_DENY or not (decision.allowed or granted.is_direct):
            raise denied(caller.arn, request, decision, by=limit.name)
