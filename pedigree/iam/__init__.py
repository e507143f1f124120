"""Who may do what, decided from IAM's documents alone: no account, no clock, no state.

    policy = parse({"Version": "2012-10-17", "Statement": {…}}, name="job")
    decision = decide([policy], Request("s3:GetObject", "arn:aws:s3:::bucket/key", {"aws:SecureTransport": True}))
    decision.allowed, decision.why

Documents are read once, with their patterns compiled: a decision over a role's policies then takes microseconds, so
that it can stand before every call of a service. A role's trust is decided in the same way, from the document that
stands for it: the request names who asks (`service("lambda.amazonaws.com")`), and where it asks from is in its context.
"""

from __future__ import annotations

from pedigree.iam.decision import Decision, Outcome, decide
from pedigree.iam.document import Effect, Policy, PolicyKind, Statement
from pedigree.iam.reading import parse
from pedigree.iam.request import Principal, Request, identity, service, session

__all__ = [
    "Decision",
    "Effect",
    "Outcome",
    "Policy",
    "PolicyKind",
    "Principal",
    "Request",
    "Statement",
    "decide",
    "identity",
    "parse",
    "service",
    "session",
]
