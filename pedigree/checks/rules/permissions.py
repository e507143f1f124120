"""Roles: the permissions that the definition requires, compared with the policies that the roles have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pedigree.checks.finding import Severity, Violation
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject

if TYPE_CHECKING:
    from pedigree.checks.roles.audit import RoleAudit


@rule("IAM001", Severity.ERROR)
def missing(subject: Subject) -> Iterator[Violation]:
    """Missing permission.

    The role may not do something that this definition needs. The step fails with AccessDenied when its turn comes, and
    all steps before it have been paid for. The remedy is the statement to add. Needs the policies: --policies.
    """
    for audit in _audits(subject):
        yield from audit.missing()


@rule("IAM002", Severity.WARNING)
def wildcards(subject: Subject) -> Iterator[Violation]:
    """Wildcard in the actions of a statement.

    s3:* or a managed policy like AmazonSageMakerFullAccess allows far more than the definition needs, to all code that
    runs as this role. The remedy is what to write in its place.
    """
    for audit in _audits(subject):
        yield from audit.wildcard_actions()


@rule("IAM003", Severity.WARNING)
def everywhere(subject: Subject) -> Iterator[Violation]:
    """Statement about every resource.

    The definition names the resources that it needs. With * the role can read every bucket, call every function, or
    hand over every role of the account.
    """
    for audit in _audits(subject):
        yield from audit.wildcard_resources()


@rule("IAM004", Severity.NOTE)
def unused(subject: Subject) -> Iterator[Violation]:
    """Unused permission.

    The definition never needs it. Remove it, unless the role has other work.
    """
    for audit in _audits(subject):
        yield from audit.unused()


@rule("IAM005", Severity.NOTE)
def not_given(subject: Subject) -> Iterator[Violation]:
    """Role without policies in --policies.

    Policies of other roles were given, and none of this one, so it was not checked.
    """
    for audit in _audits(subject):
        yield from audit.without_policies()


@rule("IAM006", Severity.ERROR)
def untrusted(subject: Subject) -> Iterator[Violation]:
    """Role that does not trust the service that must assume it.

    A trust for the pipeline's executions alone (aws:SourceArn) does not let jobs assume the role, nor functions.
    Checked where the trust is given: a trust.json beside the policies.
    """
    for audit in _audits(subject):
        yield from audit.untrusted()


def _audits(subject: Subject) -> Iterator[RoleAudit]:
    """The audit of the roles; nothing where the evidence has no policies."""
    if subject.evidence.policies or subject.evidence.trusts:
        # Imported when needed: it takes a tenth of the start, and most checks have no policies.
        from pedigree.checks.roles.audit import RoleAudit

        yield subject.view(RoleAudit)
