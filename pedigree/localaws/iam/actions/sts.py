"""STS: assuming roles. GetCallerIdentity needs nothing."""

from __future__ import annotations

from pedigree.localaws.iam.actions.needs import ActionTable, Need

_TAKING = (
    Need(
        "{RoleArn}",
        action="sts:AssumeRole",
        keys={"sts:RoleSessionName": "RoleSessionName", "sts:ExternalId": "ExternalId"},
    ),
    Need("{RoleArn}", action="sts:TagSession", only_with="Tags"),
)

TABLE = ActionTable(
    "sts",
    "sts",
    {
        "AssumeRole": _TAKING,
        "GetCallerIdentity": (),
        "GetSessionToken": (),
        "GetFederationToken": (Need("arn:aws:sts::*:federated-user/{Name}"),),
    },
    is_global=True,
)
