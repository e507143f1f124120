"""How many machines may be asked for at once: no model says it, AWS's quotas do, and moto would make them all."""

from __future__ import annotations

from typing import Any

from pedigree.localaws.http.protocol.errors import ServiceError

_MOST = 1000
_COUNTS = frozenset(
    (
        *("Quantity", "MinCount", "MaxCount", "InstanceCount", "Count", "TargetCapacity", "TotalTargetCapacity"),
        *("OnDemandTargetCapacity", "SpotTargetCapacity", "Ipv6AddressCount", "SecondaryPrivateIpAddressCount"),
        *("Ipv4PrefixCount", "Ipv6PrefixCount"),
    )
)


def check(service: str, members: Any) -> None:
    """Refuse what no quota of AWS would let through."""
    if service != "ec2":
        return
    inner = members.items() if isinstance(members, dict) else enumerate(members) if isinstance(members, list) else ()
    for name, value in inner:
        if name in _COUNTS and isinstance(value, int) and value > _MOST:
            words = f"{name} is {value}, and the local AWS makes {_MOST} at once at most."
            raise ServiceError("InstanceLimitExceeded", words)
        check(service, value)
