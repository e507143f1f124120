"""Decides what IAM policies allow, from the documents alone: no account, no clock, no state.

    policy = parse({"Version": "2012-10-17", "Statement": {…}}, name="job")
    decision = decide([policy], Request("s3:GetObject", "arn:aws:s3:::bucket/key", {"aws:SecureTransport": True}))
    decision.allowed, decision.why

Documents are parsed once, with their patterns compiled: a decision then takes microseconds, so that every call of a
service can be checked. The trust of a role is decided in the same way: the request names the principal
(`service("lambda.amazonaws.com")`), and the source is in its context.
"""

from __future__ import annotations

from pedigree.iam.decision import Decision, Outcome, decide
from pedigree.iam.document import Effect, Policy, PolicyKind, Statement
from pedigree.iam.reading import parse
from pedigree.iam.request import Principal, Request, identity, service, session
from pedigree.iam.simulation import Simulation, simulate

__all__ = [
    "Decision",
    "Effect",
    "Outcome",
    "Policy",
    "PolicyKind",
    "Principal",
    "Request",
    "Simulation",
    "Statement",
    "decide",
    "identity",
    "parse",
    "service",
    "session",
    "simulate",
]
