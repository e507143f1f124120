"""Systems Manager: parameters; those that AWS publishes belong to no account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pedigree.localaws.http.protocol.call import Call
from pedigree.localaws.iam.actions.members import values
from pedigree.localaws.iam.actions.needs import ActionTable, Need
from pedigree.localaws.iam.actions.resources import Resources

_PARAMETERS = (Need("arn:aws:ssm:{Places[]}"),)
_PUBLISHED = "/aws/service/"


def _derive(call: Call, resources: Resources) -> Mapping[str, Any]:
    names = [str(name) for member in ("Name", "Path", "Names") for name in values(call.members, (member,))]
    return {"Places": [_place(name, call.region, resources.account) for name in names]}


def _place(name: str, region: str, account: str) -> str:
    owner = "" if name.startswith(_PUBLISHED) else account
    return f"{region}:{owner}:parameter/{name.lstrip('/')}"


TABLE = ActionTable(
    "ssm",
    "ssm",
    dict.fromkeys(
        (
            *("GetParameter", "GetParameters", "GetParametersByPath", "GetParameterHistory"),
            *("PutParameter", "DeleteParameter", "DeleteParameters", "LabelParameterVersion"),
        ),
        _PARAMETERS,
    ),
    derive=_derive,
)
