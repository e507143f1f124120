"""Reads the policies in requests with the authorizer's own parser: what it could not read is refused, not stored."""

from __future__ import annotations

import json

from pedigree.iam import Policy, PolicyKind, parse
from pedigree.iam.errors import PolicyError
from pedigree.localaws.http.protocol.errors import ServiceError


def read_policy(text: str, name: str, kind: PolicyKind, code: str) -> Policy:
    """A policy from its text; ServiceError with the service's own code if it is malformed."""
    try:
        return parse(json.loads(text), name=name, kind=kind)
    except PolicyError as error:
        raise ServiceError(code, str(error)) from None
    except (ValueError, RecursionError):
        raise ServiceError(code, f"{name} is no JSON document.") from None
