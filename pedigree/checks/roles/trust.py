"""The services that assume the roles of a definition, and whether the roles trust them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pedigree.checks.roles.comparison import allows_with_unknown_keys
from pedigree.checks.roles.permission import ANY_NAME, PIPELINE
from pedigree.checks.roles.resource_names import ResourceNames
from pedigree.checks.subject import Subject
from pedigree.iam import Effect, Policy, Request, Statement, decide, service
from pedigree.iam.principals import Match
from pedigree.language.pointers import at

_ASSUME = "sts:AssumeRole"
_SAGEMAKER, _LAMBDA = "sagemaker.amazonaws.com", "lambda.amazonaws.com"
_NOUNS = {"Processing": "processing-job", "Training": "training-job", "Tuning": "hyper-parameter-tuning-job"}


@dataclass(frozen=True)
class TrustRequirement:
    """A service that assumes a role on behalf of a source; the source is empty where its name is not known."""

    role: str
    service: str
    source: str
    account: str
    pointer: str

    @property
    def request(self) -> Request:
        """The request that the trust must allow."""
        context = {"aws:SourceAccount": self.account, "aws:SourceArn": self.source}
        set_keys = {key: value for key, value in context.items() if value not in ("", "*")}
        return Request(_ASSUME, "*", set_keys, service(self.service))

    @property
    def statement(self) -> Mapping[str, Any]:
        """The statement that the trust must have."""
        return {"Effect": "Allow", "Principal": {"Service": self.service}, "Action": _ASSUME}


def assumptions(subject: Subject) -> Iterator[TrustRequirement]:
    """Everything that assumes a role: executions, jobs, and functions whose configuration is given."""
    names = ResourceNames(subject)
    pipeline = subject.evidence.pipeline_role or PIPELINE
    yield TrustRequirement(pipeline, _SAGEMAKER, "", names.account, "/Steps")
    for job in subject.jobs:
        source = names.arn("sagemaker", f"{_NOUNS[job.step.type]}/pipelines-{ANY_NAME}-{job.step.name}")
        role = names.role(job.get("RoleArn")) or pipeline
        yield TrustRequirement(role, _SAGEMAKER, source, names.account, job.pointer)
    for step in subject.steps:
        function = names.function(step)
        role = names.role(at(subject.evidence.functions.get(function), "Role"))
        if role:
            source = f"{names.text(step.document['FunctionArn']).partition(':function:')[0]}:function:{function}"
            yield TrustRequirement(role, _LAMBDA, source, names.account, step.pointer)


def is_trusted(assumption: TrustRequirement, trust: Sequence[Policy]) -> bool:
    """Whether a trust lets a service assume the role; an unknown condition is assumed to hold."""
    request = assumption.request
    if decide(trust, request).allowed:
        return True
    return any(_trusts_with_unknown_keys(statement, request) for policy in trust for statement in policy.statements)


def _trusts_with_unknown_keys(statement: Statement, request: Request) -> bool:
    named = statement.principals is not None and statement.principals.match(request.principal) is Match.DIRECT
    return named and statement.effect is Effect.ALLOW and allows_with_unknown_keys(statement, request)
