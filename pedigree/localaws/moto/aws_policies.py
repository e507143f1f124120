"""The policies that AWS manages (AmazonSageMakerFullAccess …), from the documents that moto ships.

moto can load all of them into each account, which takes time at every start and makes every saved state larger. Here a
policy joins an account's state when it is first named; until then it is text.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend, ManagedPolicy

_PREFIX = "arn:aws:iam::aws:policy/"
_POLICIES = "managed_policies"


class ManagedPolicies(dict[str, ManagedPolicy]):
    """The managed policies of an account by ARN; one of AWS's is there as soon as it is named."""

    def __init__(self, policies: Mapping[str, ManagedPolicy], account: str, region: str) -> None:
        super().__init__(policies)
        self._account, self._region = account, region

    def __reduce__(self) -> tuple[Any, ...]:
        return ManagedPolicies, (dict(self), self._account, self._region)

    def __missing__(self, arn: str) -> ManagedPolicy:
        policy = self._read(arn)
        if policy is None:
            raise KeyError(arn)
        self[arn] = policy
        return policy

    def __contains__(self, arn: object) -> bool:
        return self.get(str(arn)) is not None

    def get(self, arn: str, default: Any = None) -> Any:
        """The policy of an ARN, also if it was not named before."""
        try:
            return self[arn]
        except KeyError:
            return default

    def all(self) -> Iterator[ManagedPolicy]:
        """The account's policies, and all of AWS's."""
        yield from self.values()
        for name, entry in json.loads(aws_managed_policies_data).items():
            if not super().__contains__(f"{_PREFIX}{entry['Path'].lstrip('/')}{name}"):
                yield self._policy(name, entry)

    def _read(self, arn: str) -> ManagedPolicy | None:
        """A policy of AWS's, without parsing the others."""
        path, _, name = arn.removeprefix(_PREFIX).rpartition("/")
        head = f"\n {json.dumps(name)}:"
        start = aws_managed_policies_data.find(head) if arn.startswith(_PREFIX) and name else -1
        if start < 0:
            return None
        entry, _ = json.JSONDecoder().raw_decode(aws_managed_policies_data, start + len(head))
        return self._policy(name, entry) if entry["Path"].strip("/") == path else None

    def _policy(self, name: str, entry: dict[str, Any]) -> ManagedPolicy:
        policy = AWSManagedPolicy.from_data(name, self._account, self._region, entry)
        policy.id = f"ANPA{base64.b32encode(hashlib.sha256(name.encode()).digest()).decode()[:17]}"
        return policy


def managed_policies(_original: Any) -> property:
    """An account has AWS's policies as well as its own; also one that was saved without them."""

    def get(self: IAMBackend) -> ManagedPolicies:
        policies = vars(self)[_POLICIES]
        if not isinstance(policies, ManagedPolicies):
            policies = vars(self)[_POLICIES] = ManagedPolicies(policies, self.account_id, self.region_name)
        return policies

    def put(self: IAMBackend, policies: Mapping[str, ManagedPolicy]) -> None:
        vars(self)[_POLICIES] = policies

    return property(get, put)


def aws_managed_policies(_original: Any) -> property:
    """Those of an account's policies that are AWS's."""

    def get(self: IAMBackend) -> list[ManagedPolicy]:
        return [policy for policy in vars(self).get(_POLICIES, {}).values() if isinstance(policy, AWSManagedPolicy)]

    def put(_self: IAMBackend, _policies: Iterable[ManagedPolicy]) -> None:
        """moto sets them when it makes an account: none."""

    return property(get, put)


def attach(original: Any) -> Callable[..., Any]:
    """A policy of AWS's can be attached; moto looks through the policies that are there."""

    def attach_policy(self: IAMBackend, policy_arn: str, name: str) -> Any:
        self.managed_policies.get(policy_arn)
        return original(self, policy_arn, name)

    return attach_policy


def list_policies(original: Any) -> Callable[..., Any]:
    """The list of policies has AWS's, named before or not."""

    def listed(
        self: IAMBackend, marker: str | None, max_items: int, only_attached: bool, path_prefix: str, scope: str
    ) -> tuple[Iterable[ManagedPolicy], str | None]:
        if only_attached or scope == "Local":
            answer: tuple[Iterable[ManagedPolicy], str | None] = original(
                self, marker, max_items, only_attached, path_prefix, scope
            )
            return answer
        every = ManagedPolicies(self.managed_policies, self.account_id, self.region_name).all()
        policies = [policy for policy in every if scope == "All" or isinstance(policy, AWSManagedPolicy)]
        return self._filter_attached_policies(policies, marker, max_items, path_prefix)

    return listed


POLICY_PATCHES: tuple[tuple[Any, str, Callable[[Any], Any]], ...] = (
    (IAMBackend, _POLICIES, managed_policies),
    (IAMBackend, "aws_managed_policies", aws_managed_policies),
    *((IAMBackend, f"attach_{kind}_policy", attach) for kind in ("role", "user", "group")),
    (IAMBackend, "list_policies", list_policies),
)
