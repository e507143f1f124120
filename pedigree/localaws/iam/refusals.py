"""Why a request is denied, in AWS's words."""

from __future__ import annotations

from pedigree.iam import Decision, Outcome, Request
from pedigree.localaws.http.protocol.errors import AccessDeniedError


def denied(who: str, request: Request, decision: Decision, *, by: str = "identity-based policy") -> AccessDeniedError:
    """The error for a request that a policy denies, or that none allows."""
    action, place = _written(request)
    words = f"User: {who} is not authorized to perform: {action}"
    resource = "" if request.resource == "*" else f" on resource: {place}"
    if decision.outcome is Outcome.EXPLICIT_DENY:
        why = f" with an explicit deny in {_article(by)} {by}"
    elif request.action == "sts:AssumeRole":
        why = ""  # AWS gives no reason if a trust policy refuses
    else:
        why = f" because no {by} allows the {action} action"
    return AccessDeniedError(f"{words}{resource}{why}")


def _written(request: Request) -> tuple[str, str]:
    """An action and a resource as AWS writes them: SQS writes its actions small, S3 its resources in quotes."""
    service = request.action.partition(":")[0]
    action = request.action.lower() if service == "sqs" else request.action
    return action, f'"{request.resource}"' if service == "s3" else request.resource


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"
