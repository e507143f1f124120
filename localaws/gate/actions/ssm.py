"""Systems Manager: parameters; those that AWS itself publishes are of no account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.gate.calls import Call, Known
from localaws.gate.needs import Need, Table

_PARAMETERS = (Need("arn:aws:ssm:{Places[]}"),)
_PUBLISHED = "/aws/service/"


def _derive(call: Call, known: Known) -> Mapping[str, Any]:
    names = [call.members[one] for one in ("Name", "Path") if one in call.members] or call.members.get("Names", [])
    return {"Places": [_place(str(one), call.region, known.account) for one in names]}


def _place(name: str, region: str, account: str) -> str:
    owner = "" if name.startswith(_PUBLISHED) else account
    return f"{region}:{owner}:parameter/{name.lstrip('/')}"


TABLE = Table(
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
