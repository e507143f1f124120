"""Finds subnets and security groups for a machine that nothing outside of the network may reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from pedigree.account.account import Account
from pedigree.account.errors import CallRefusedError

_PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))


@dataclass(frozen=True)
class MachineNetwork:
    """The subnets to try one after the other, and the security groups."""

    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]


def find(account: Account, subnet_ids: Sequence[str] = (), group_ids: Sequence[str] = ()) -> MachineNetwork:
    """The given network, or the account's default one; raises RefusedError if it lets the internet in."""
    chosen = {"SubnetIds": list(subnet_ids)} if subnet_ids else _filtered("default-for-az", "true")
    subnets = sorted(
        account.each("ec2", "describe_subnets", "Subnets", **chosen), key=lambda subnet: subnet["AvailabilityZone"]
    )
    if not subnets:
        raise CallRefusedError(
            f"{account.region} has no default subnet", "set site.network.subnets and site.network.security_groups"
        )
    groups = _groups(account, group_ids, subnets[0]["VpcId"])
    for group in groups:
        for opened in _public(group):
            raise CallRefusedError(
                f"security group {group['GroupId']} lets {opened} in, and nothing needs to reach the machine",
                "take that rule out, or name other groups in site.network.security_groups",
            )
    return MachineNetwork(tuple(subnet["SubnetId"] for subnet in subnets), tuple(group["GroupId"] for group in groups))


def _groups(account: Account, ids: Sequence[str], vpc: str) -> list[Mapping[str, Any]]:
    if ids:
        return list(account.each("ec2", "describe_security_groups", "SecurityGroups", GroupIds=list(ids)))
    filters = [*_filtered("vpc-id", vpc)["Filters"], *_filtered("group-name", "default")["Filters"]]
    return list(account.each("ec2", "describe_security_groups", "SecurityGroups", Filters=filters))


def _filtered(name: str, value: str) -> dict[str, list[dict[str, Any]]]:
    return {"Filters": [{"Name": name, "Values": [value]}]}


def _public(group: Mapping[str, Any]) -> Iterator[str]:
    """The addresses outside of private networks from which a group lets traffic in."""
    for rule in group["IpPermissions"]:
        ranges = [entry["CidrIp"] for entry in rule.get("IpRanges", ())]
        ranges += [entry["CidrIpv6"] for entry in rule.get("Ipv6Ranges", ())]
        yield from (addresses for addresses in ranges if not _is_private(addresses))


def _is_private(addresses: str) -> bool:
    # is_private of a network has meant different things in different Pythons.
    network: Any = ip_network(addresses, strict=False)
    return any(network.version == private.version and network.subnet_of(private) for private in _PRIVATE)
