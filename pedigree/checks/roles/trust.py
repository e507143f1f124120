"""Who takes the roles of a definition, and whether their trust lets them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pedigree.checks.jobs import at
from pedigree.checks.roles.addresses import Addresses
from pedigree.checks.roles.held import hangs
from pedigree.checks.roles.need import PIPELINE, SOMETHING
from pedigree.checks.subject import Subject
from pedigree.iam import Effect, Policy, Request, Statement, decide, service
from pedigree.iam.principals import Grade

_ASSUME = "sts:AssumeRole"
_SAGEMAKER, _LAMBDA = "sagemaker.amazonaws.com", "lambda.amazonaws.com"
_NOUNS = {"Processing": "processing-job", "Training": "training-job", "Tuning": "hyper-parameter-tuning-job"}


@dataclass(frozen=True)
class Taker:
    """A service that takes a role for something; what for is empty where nobody knows its name."""

    role: str
    service: str
    source: str
    account: str
    pointer: str

    @property
    def request(self) -> Request:
        """What the service asks for."""
        context = {"aws:SourceAccount": self.account, "aws:SourceArn": self.source}
        known = {key: value for key, value in context.items() if value not in ("", "*")}
        return Request(_ASSUME, "*", known, service(self.service))

    @property
    def statement(self) -> Mapping[str, Any]:
        """What the trust must say."""
        return {"Effect": "Allow", "Principal": {"Service": self.service}, "Action": _ASSUME}


def takers(subject: Subject) -> Iterator[Taker]:
    """Whoever takes a role."""
    addresses = Addresses(subject)
    pipeline = subject.beside.pipeline_role or PIPELINE
    yield Taker(pipeline, _SAGEMAKER, "", addresses.account, "/Steps")
    for job in subject.jobs:
        source = addresses.arn("sagemaker", f"{_NOUNS[job.step.type]}/pipelines-{SOMETHING}-{job.step.name}")
        role = addresses.role(job.get("RoleArn")) or pipeline
        yield Taker(role, _SAGEMAKER, source, addresses.account, job.pointer)
    for step in subject.steps:
        arn = addresses.text(step.document.get("FunctionArn")) if step.type == "Lambda" else ""
        name = arn.partition(":function:")[2].partition(":")[0]
        role = addresses.role(at(dict(subject.beside.functions.get(name, {})), "Role"))
        if role:
            function = f"{arn.partition(':function:')[0]}:function:{name}"
            yield Taker(role, _LAMBDA, function, addresses.account, step.pointer)


def is_trusted(taker: Taker, trust: Sequence[Policy]) -> bool:
    """Whether a trust lets a service take the role; what hangs on a condition that nobody can judge here does."""
    request = taker.request
    if decide(trust, request).allowed:
        return True
    return any(_would(one, request) for policy in trust for one in policy.statements)


def _would(statement: Statement, request: Request) -> bool:
    named = statement.principals is not None and statement.principals.grade(request.principal) is Grade.DIRECT
    return named and statement.effect is Effect.ALLOW and hangs(statement, request)
