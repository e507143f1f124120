"""Refuses bucket policies that S3 refuses: the authorizer could not decide by them, or they would decide nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase

from pedigree.iam import Effect, Policy, PolicyKind, Statement
from pedigree.localaws.http.protocol import xml
from pedigree.localaws.http.protocol.s3_errors import S3Error
from pedigree.localaws.iam.policy_documents import read_policy
from pedigree.localaws.iam.s3_requests import ACTIONS, arn

_MALFORMED = "MalformedPolicy"
_LEVELS = frozenset({"bucket", "object"})


def check_bucket_policy(text: str, bucket: str, access_block: str = "") -> None:
    """Raise S3Error, unless a policy is about S3's actions on this bucket, and not public where that is blocked."""
    if not text.startswith("{"):
        raise S3Error(_MALFORMED, "Policies must be valid JSON and the first byte must be '{'", 400)
    if _lacks_statements(text):
        raise S3Error(_MALFORMED, "Missing required field Statement", 400)
    policy = read_policy(text, "The policy", PolicyKind.RESOURCE, _MALFORMED)
    for statement in policy.statements:
        for fault in _faults(statement, bucket):
            raise S3Error(_MALFORMED, fault, 400)
    if is_public(policy) and _is_blocked(access_block):
        words = "public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access"
        raise S3Error("AccessDenied", f"The policy cannot be put, because {words}.", 403)


def _lacks_statements(text: str) -> bool:
    try:
        return "Statement" not in json.loads(text)
    except (ValueError, RecursionError):
        return False  # it cannot be read, and is refused for that


def is_public(policy: Policy) -> bool:
    """Whether a policy allows something to everybody, without a condition."""
    return any(
        statement.effect is Effect.ALLOW
        and statement.principals is not None
        and (statement.principals.everybody or statement.principals.negated)
        and not statement.conditions
        for statement in policy.statements
    )


def _faults(statement: Statement, bucket: str) -> Iterator[str]:
    resources = statement.resources.texts if statement.resources else ()
    actions = statement.actions.texts
    if not all(action == "*" or action.lower().startswith("s3:") for action in actions):
        yield "Policy has invalid action"
    if not all(text == "*" or fnmatchcase(arn(bucket), text.partition("/")[0]) for text in resources):
        yield "Policy has invalid resource"
    levels = {level for text in resources for level in _levels_of_resource(text)}
    if not statement.actions.negated and not all(levels & _levels_of_action(action) for action in actions):
        yield "Action does not apply to any resource(s) in statement"


def _levels_of_resource(text: str) -> frozenset[str]:
    """Whether a pattern is for the bucket, for its objects, or for both."""
    if "/" in text:
        return frozenset({"object"})
    return _LEVELS if text.endswith("*") else frozenset({"bucket"})


def _levels_of_action(pattern: str) -> frozenset[str]:
    """Whether the actions that a pattern covers are on buckets or on objects; both for actions that no table has."""
    levels = frozenset(
        level for (_, level, _), action in ACTIONS.items() if fnmatchcase(f"s3:{action}".lower(), pattern.lower())
    )
    return levels & _LEVELS or _LEVELS


def _is_blocked(access_block: str) -> bool:
    return bool(access_block) and xml.parse(access_block.encode()).findtext("BlockPublicPolicy", "").lower() == "true"
