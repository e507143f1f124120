"""What AWS's STS refuses in a request before it decides whether its caller may make it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pedigree.localaws.http.protocol.call import Call
from pedigree.localaws.http.protocol.errors import InvalidRequestError, ServiceError

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+")
_DUPLICATE = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
_OVERRIDDEN = (
    "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the "
    "calling session."
)
_NOT_A_TAG = "The specified transitive tag key must be included in the requested tags."


def check(call: Call) -> None:
    """Refuse a call whose role is none."""
    role = call.members.get("RoleArn")
    if role is not None and not _ROLE.fullmatch(str(role)):
        raise InvalidRequestError(f"{role} is invalid")


def check_tags(members: Mapping[str, Any], inherited: Mapping[str, str]) -> None:
    """Refuse the tags of a new session that do not go with each other, or with those that it inherits."""
    keys = [tag["Key"].lower() for tag in members.get("Tags", ())]
    transitive = {key.lower() for key in members.get("TransitiveTagKeys", ())}
    if len(set(keys)) < len(keys):
        raise _invalid(_DUPLICATE)
    if set(keys) & {key.lower() for key in inherited}:
        raise _invalid(_OVERRIDDEN)
    if not transitive <= set(keys):
        raise _invalid(_NOT_A_TAG)


def _invalid(words: str) -> ServiceError:
    return ServiceError("InvalidParameterValue", words)
