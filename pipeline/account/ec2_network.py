"""Where a rented machine stands: subnets in which it may be, and security groups that let nobody in from outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from pedigree.account.account import Account
from pedigree.account.errors import RefusedError
from steps.site import Network

_PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))


@dataclass(frozen=True)
class Place:
    """The subnets, of which the first with a free machine is taken, and the groups."""

    subnets: tuple[str, ...]
    groups: tuple[str, ...]


def find(account: Account, network: Network) -> Place:
    """The network of settings, or else the account's default one; RefusedError if it lets the internet in."""
    chosen = {"SubnetIds": list(network.subnets)} if network.subnets else _filtered("default-for-az", "true")
    subnets = sorted(
        account.each("ec2", "describe_subnets", "Subnets", **chosen), key=lambda one: one["AvailabilityZone"]
    )
    if not subnets:
        raise RefusedError(
            f"{account.region} has no default subnet", "set site.network.subnets and site.network.security_groups"
        )
    groups = _groups(account, network, subnets[0]["VpcId"])
    for group in groups:
        for opened in _public(group):
            raise RefusedError(
                f"security group {group['GroupId']} lets {opened} in, and nobody need reach the machine",
                "take that rule out, or name other groups in site.network.security_groups",
            )
    return Place(tuple(one["SubnetId"] for one in subnets), tuple(one["GroupId"] for one in groups))


def _groups(account: Account, network: Network, vpc: str) -> list[Mapping[str, Any]]:
    if network.security_groups:
        return list(
            account.each("ec2", "describe_security_groups", "SecurityGroups", GroupIds=list(network.security_groups))
        )
    filters = [*_filtered("vpc-id", vpc)["Filters"], *_filtered("group-name", "default")["Filters"]]
    return list(account.each("ec2", "describe_security_groups", "SecurityGroups", Filters=filters))


def _filtered(name: str, value: str) -> dict[str, list[dict[str, Any]]]:
    return {"Filters": [{"Name": name, "Values": [value]}]}


def _public(group: Mapping[str, Any]) -> Iterator[str]:
    """The addresses outside of private networks from which a group lets traffic in."""
    for rule in group["IpPermissions"]:
        ranges = [one["CidrIp"] for one in rule.get("IpRanges", ())]
        ranges += [one["CidrIpv6"] for one in rule.get("Ipv6Ranges", ())]
        yield from (one for one in ranges if not _is_private(one))


def _is_private(addresses: str) -> bool:
    # is_private of a network has meant different things in different Pythons.
    asked: Any = ip_network(addresses, strict=False)
    return any(asked.version == known.version and asked.subnet_of(known) for known in _PRIVATE)
