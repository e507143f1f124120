"""Bounds on how many machines one request makes: AWS has quotas for it, no model has them, and moto makes them all."""

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
    """Refuse a request for more machines than AWS's quotas allow."""
    if service != "ec2":
        return
    entries = members.items() if isinstance(members, dict) else enumerate(members) if isinstance(members, list) else ()
    for name, value in entries:
        if name in _COUNTS and isinstance(value, int) and value > _MOST:
            words = f"{name} is {value}, and the local AWS makes {_MOST} at once at most."
            raise ServiceError("InstanceLimitExceeded", words)
        check(service, value)
