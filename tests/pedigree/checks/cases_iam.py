"""Cases of the rules about roles: a definition that is right, and policies of which one is wrong."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from pedigree.checks.evidence import Evidence
from pedigree.checks.roles.least_privilege import policy_of
from pedigree.checks.roles.required import required_permissions
from pedigree.checks.subject import Subject
from pedigree.iam import PolicyKind, parse
from tests.pedigree.checks.case import Case
from tests.pedigree.checks.small import document

Document = dict[str, Any]
REQUIRED = required_permissions(Subject(document(), Evidence()))
LEAST: Mapping[str, Document] = {role: policy_of(role, REQUIRED) for role in ("job", "pipeline")}


def evidence(policies: Mapping[str, Document]) -> Evidence:
    return Evidence(policies={role: [parse(policy, name=f"{role}.json")] for role, policy in policies.items()})


def case(code: str, place: str, break_it: Callable[[dict[str, Document]], Any]) -> tuple[Case, Evidence]:
    broken = copy.deepcopy(dict(LEAST))
    break_it(broken)
    return Case(code, place, (), (), evidence(broken)), evidence(LEAST)


def statement(policies: Mapping[str, Document], role: str, sid: str) -> Document:
    return next(entry for entry in policies[role]["Statement"] if entry["Sid"] == sid)


def drop(policies: Mapping[str, Document], role: str, sid: str) -> None:
    policies[role]["Statement"].remove(statement(policies, role, sid))


def put(role: str, sid: str, **members: Any) -> Callable[[dict[str, Document]], Any]:
    return lambda policies: statement(policies, role, sid).update(members)


def trusted(source: str) -> Evidence:
    who = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    only = {"ArnLike": {"aws:SourceArn": f"arn:aws:sagemaker:us-east-1:123456789012:{source}"}}
    document = {"Version": "2012-10-17", "Statement": [{**who, "Condition": only}]}
    return Evidence(trusts={"job": [parse(document, name="job/trust.json", kind=PolicyKind.TRUST)]})


WITH_EVIDENCE = (
    (Case("IAM006", "Train.Arguments", (), (), trusted("pipeline/dogs/*")), trusted("*")),
    case("IAM001", "Deploy", lambda policies: drop(policies, "pipeline", "CallFunctions")),
    case("IAM002", "Prepare.Arguments", put("job", "ReadInputs", Action="s3:Get*")),
    case("IAM003", "Prepare", put("pipeline", "CallFunctions", Resource="*")),
    case("IAM004", "Prepare.Arguments", put("job", "ReadInputs", Action=["s3:GetObject", "s3:GetObjectTagging"])),
    case("IAM005", "Prepare", lambda policies: policies.pop("pipeline")),
)
