"""SimulatePrincipalPolicy and SimulateCustomPolicy, by the same decision as the authorizer of every call."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from pedigree.iam import Outcome, Policy, PolicyKind, Principal, Request, Simulation, identity, simulate
from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError
from pedigree.localaws.iam.callers import UseBackend
from pedigree.localaws.iam.policy_documents import read_policy
from pedigree.localaws.services.iam.policy_sources import PolicySource, entity, find_source

Members: TypeAlias = Mapping[str, Any]
_UNSUPPORTED = ("PolicyExclusionList", "OrderedOrganizationPolicyInputList", "ResourceHandlingOption", "ResourceOwner")
_ACTION = re.compile(r"[\w-]+:\w+")
_EVERYTHING = "*"
_MOST_ITEMS = 100
_INVALID = "InvalidInput"
_DECISIONS: Mapping[Outcome, str] = {
    Outcome.ALLOWED: "allowed",
    Outcome.EXPLICIT_DENY: "explicitDeny",
    Outcome.IMPLICIT_DENY: "implicitDeny",
}
_SEVERITY = (Outcome.EXPLICIT_DENY, Outcome.IMPLICIT_DENY, Outcome.ALLOWED)
_NOBODY = PolicySource((), None, {})


@dataclass(frozen=True)
class PolicySimulation:
    """The operations that tell what policies would allow."""

    _use_backend: UseBackend
    _now: Callable[[], dt.datetime]

    def simulate_principal_policy(self, exchange: Exchange) -> Members:
        """Decide actions by the policies of a user, a group or a role, and by policies in the request."""
        members = exchange.members
        source = find_source(self._use_backend, members["PolicySourceArn"])
        return self._answer(members, source, members.get("CallerArn") or members["PolicySourceArn"])

    def simulate_custom_policy(self, exchange: Exchange) -> Members:
        """Decide actions by policies in the request alone."""
        return self._answer(exchange.members, _NOBODY, exchange.members.get("CallerArn", ""))

    def _answer(self, members: Members, source: PolicySource, caller: str) -> Members:
        _check(members)
        scenario = _scenario(members, source, caller, self._now())
        resources = tuple(members.get("ResourceArns", ())) or (_EVERYTHING,)
        results = [scenario.result(action, resources) for action in dict.fromkeys(members["ActionNames"])]
        return _page(results, members)


@dataclass(frozen=True)
class _Scenario:
    """What all decisions of one request have in common."""

    policies: tuple[Policy, ...]
    boundary: tuple[Policy, ...] | None
    context: Mapping[str, Any]
    principal: Principal | None

    def result(self, action: str, resources: Sequence[str]) -> Members:
        """The result for an action: of each resource, and the most restrictive of them."""
        simulations = {resource: self._simulate(action, resource) for resource in resources}
        worst = min((simulation.outcome for simulation in simulations.values()), key=_SEVERITY.index)
        deciding = [simulation for simulation in simulations.values() if simulation.outcome is worst]
        together = Simulation(
            worst,
            tuple({policy.name: policy for each in deciding for policy in each.deciding}.values()),
            tuple(dict.fromkeys(key for simulation in simulations.values() for key in simulation.missing_keys)),
            all(simulation.is_allowed_by_boundary for simulation in simulations.values()),
        )
        return {
            "EvalActionName": action,
            "EvalResourceName": resources[0] if len(resources) == 1 else _EVERYTHING,
            "EvalDecision": _DECISIONS[worst],
            **self._details(together),
            **self._specific(simulations),
        }

    def _simulate(self, action: str, resource: str) -> Simulation:
        return simulate(self.policies, self.boundary, Request(action, resource, self.context, self.principal))

    def _specific(self, simulations: Mapping[str, Simulation]) -> Members:
        """What an answer has only if the request names resources."""
        if _EVERYTHING in simulations:
            return {}
        specific = [
            {
                "EvalResourceName": resource,
                "EvalResourceDecision": _DECISIONS[simulation.outcome],
                **self._details(simulation),
            }
            for resource, simulation in simulations.items()
        ]
        return {"EvalDecisionDetails": {}, "ResourceSpecificResults": specific}

    def _details(self, simulation: Simulation) -> Members:
        by_boundary = {"AllowedByPermissionsBoundary": bool(simulation.is_allowed_by_boundary)}
        return {
            "MatchedStatements": [
                {"SourcePolicyId": policy.name, "SourcePolicyType": _type(policy)} for policy in simulation.deciding
            ],
            "MissingContextValues": simulation.missing_keys,
            "PermissionsBoundaryDecisionDetail": by_boundary if self.boundary is not None else None,
        }


def _scenario(members: Members, source: PolicySource, caller: str, now: dt.datetime) -> _Scenario:
    added = _read(members, "PolicyInputList", PolicyKind.IDENTITY)
    boundary = _read(members, "PermissionsBoundaryPolicyInputList", PolicyKind.IDENTITY) or source.boundary
    attached: tuple[Policy, ...] = ()
    if "ResourcePolicy" in members:
        if not caller or entity(caller)[0] == "group":
            raise ServiceError(_INVALID, "CallerArn must be provided when ResourcePolicy is specified.")
        attached = (_policy(members["ResourcePolicy"], "ResourcePolicy", PolicyKind.RESOURCE),)
    context = {**_identity(caller), **source.context, **_moment(now), **_entries(members.get("ContextEntries", ()))}
    principal = identity(caller, has_boundary=boundary is not None) if caller else None
    return _Scenario((*source.policies, *added, *attached), boundary, context, principal)


def _check(members: Members) -> None:
    for name in _UNSUPPORTED:
        if members.get(name):
            raise InvalidRequestError(f"{name} is not supported by the local AWS")
    if len(members.get("PermissionsBoundaryPolicyInputList", ())) > 1:
        raise ServiceError(_INVALID, "You can input only one permissions boundary policy.")
    wrong = [action for action in members["ActionNames"] if not _ACTION.fullmatch(action)]
    if wrong:
        raise InvalidRequestError(f"Invalid Input Actions: {', '.join(wrong)}")
    wrong = [arn for arn in members.get("ResourceArns", ()) if arn != _EVERYTHING and arn.count(":") < 5]
    if wrong:
        raise ServiceError(_INVALID, f"ResourceNames are not in a valid ARN format: {', '.join(wrong)}.")
    if members.get("CallerArn"):
        entity(members["CallerArn"])


def _read(members: Members, name: str, kind: PolicyKind) -> tuple[Policy, ...]:
    return tuple(_policy(text, f"{name}.{number}", kind) for number, text in enumerate(members.get(name, ()), 1))


def _policy(text: str, name: str, kind: PolicyKind) -> Policy:
    return replace(read_policy(text, name, kind, _INVALID), name=name)


def _identity(caller: str) -> Mapping[str, str]:
    return {"aws:PrincipalArn": caller, "aws:PrincipalAccount": caller.split(":")[4]} if caller else {}


def _moment(now: dt.datetime) -> Mapping[str, Any]:
    return {"aws:CurrentTime": f"{now:%Y-%m-%dT%H:%M:%SZ}", "aws:EpochTime": int(now.timestamp())}


def _entries(entries: Iterable[Members]) -> Mapping[str, Sequence[str]]:
    """The values of context keys; only a type that is a list takes several."""
    for entry in entries:
        is_list = entry.get("ContextKeyType", "").endswith("List")
        if len(entry.get("ContextKeyValues", ())) > 1 and not is_list:
            raise ServiceError(_INVALID, f"The context key {entry.get('ContextKeyName')} takes a single value.")
    return {
        entry["ContextKeyName"]: entry.get("ContextKeyValues", ()) for entry in entries if "ContextKeyName" in entry
    }


def _type(policy: Policy) -> str:
    return "Resource Policy" if policy.kind is PolicyKind.RESOURCE else "IAM Policy"


def _page(results: Sequence[Members], members: Members) -> Members:
    marker = members.get("Marker", "0")
    if not marker.isdecimal() or int(marker) > len(results):
        raise InvalidRequestError("Invalid Marker.")
    end = int(marker) + int(members.get("MaxItems", _MOST_ITEMS))
    is_cut = end < len(results)
    return {
        "EvaluationResults": results[int(marker) : end],
        "IsTruncated": is_cut,
        "Marker": str(end) if is_cut else None,
    }
