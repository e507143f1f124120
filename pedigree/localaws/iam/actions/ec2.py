"""EC2: starting an instance needs an action on each thing that it is made of; lists take no resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.localaws.http.protocol.call import Call
from pedigree.localaws.iam.actions.members import path, values
from pedigree.localaws.iam.actions.needs import ActionTable, Need
from pedigree.localaws.iam.actions.resources import Resources

_INSTANCES = (Need("instance/{InstanceIds[]}"),)
_CREATING = {"ec2:CreateAction": "CreateAction"}
_TOKENS = {"ec2:MetadataHttpTokens": "MetadataOptions.HttpTokens", "ec2:InstanceType": "InstanceType"}
_STARTING = (
    Need("instance/*", keys=_TOKENS),
    Need("volume/*"),
    Need("network-interface/*"),
    Need("arn:aws:ec2:{Region}::image/{ImageId}", only_with="ImageId"),
    Need("subnet/{AllSubnets[]|*}"),
    Need("security-group/{AllGroups[]|*}"),
    Need("spot-instances-request/*", only_with="InstanceMarketOptions"),
    Need("key-pair/{KeyName}", only_with="KeyName"),
    Need("{Taggable[]}", action="ec2:CreateTags", keys=_CREATING, only_with="TagSpecifications"),
    Need("{ProfileRole}", action="iam:PassRole", keys={"iam:PassedToService": "Service"}, only_with="ProfileRole"),
)


def _derive(call: Call, resources: Resources) -> Mapping[str, Any]:
    """Members of RunInstances that stand in several places, and the ARNs of what it makes and tags."""
    if call.operation != "RunInstances":
        return {}
    profiles = _both(call.members, "IamInstanceProfile.Name", "IamInstanceProfile.Arn") or [""]
    name = str(profiles[0]).rpartition("/")[2]
    kinds = dict.fromkeys(values(call.members, path("TagSpecifications[].ResourceType")))
    return {
        "Region": call.region,
        "CreateAction": call.operation,
        "Service": "ec2.amazonaws.com",
        "ProfileRole": (resources.role_in(name) or f"arn:aws:iam::{resources.account}:role/{name}") if name else None,
        "AllSubnets": _both(call.members, "SubnetId", "NetworkInterfaces[].SubnetId"),
        "AllGroups": _both(call.members, "SecurityGroupIds", "NetworkInterfaces[].Groups"),
        "Taggable": [f"arn:aws:ec2:{call.region}:{resources.account}:{kind}/*" for kind in kinds],
    }


def _both(members: Mapping[str, Any], first: str, second: str) -> list[str] | None:
    return [*values(members, path(first)), *values(members, path(second))] or None


TABLE = ActionTable(
    "ec2",
    "ec2",
    {
        "RunInstances": _STARTING,
        **dict.fromkeys(("TerminateInstances", "StartInstances", "StopInstances", "RebootInstances"), _INSTANCES),
        "GetConsoleOutput": (Need("instance/{InstanceId}"),),
        "ModifyInstanceAttribute": (Need("instance/{InstanceId}"),),
    },
    derive=_derive,
)
