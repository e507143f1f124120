"""The permissions that a definition requires: compared with policies, and written as the least policy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pedigree.checks.errors import UnknownRoleError
from pedigree.checks.evidence import Evidence
from pedigree.checks.roles.least_privilege import policy_of
from pedigree.checks.roles.required import required_permissions, roles, unknown_requirements
from pedigree.checks.run import run
from pedigree.checks.subject import Subject
from pedigree.iam import Policy, parse
from pipeline.account.roles import documents
from pipeline.document import render
from tests.pedigree.checks.case import made
from tests.pedigree.checks.cases_iam import LEAST, evidence
from tests.pedigree.checks.small import ROLE, document, get, own
from tests.policies.role_settings import SETTINGS
from tests.support.definitions import CODE, configure
from tests.support.linting import findings
from tests.support.sdk_definitions import DEFINITIONS, name

GOLDEN = Path(__file__).parents[2] / "golden" / "definition.json"
FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}]}
OURS = {name: settings for name, settings in SETTINGS.items() if name != "longest"}  # whose roles have other names
Puts = tuple[tuple[str, Any], ...]


def subject(puts: Puts = ()) -> Subject:
    return Subject(made(puts), Evidence())


def allowed(role: str, puts: Puts = ()) -> set[str]:
    """What the least policy of a role allows, as words: an action and a resource."""
    statements = policy_of(role, required_permissions(subject(puts)))["Statement"]
    return {
        f"{action} {resource}"
        for statement in statements
        for action in several(statement["Action"])
        for resource in several(statement["Resource"])
    }


def several(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def given(policies: Mapping[str, Any]) -> Mapping[str, list[Policy]]:
    return {role: [parse(policy, name=role)] for role, policy in policies.items()}


@pytest.mark.parametrize("settings", OURS)
def test_our_own_roles_have_the_required_permissions_and_no_others(settings: str) -> None:
    configured = configure(OURS[settings])
    definition = json.loads(render(configured, CODE))
    policies = given({role: written.policy for role, written in documents(configured).items()})
    assert run(definition, Evidence(policies=policies), select=["IAM"]) == []


@pytest.mark.parametrize("path", [*DEFINITIONS, GOLDEN], ids=name)
def test_the_least_policy_is_sufficient_and_minimal_and_passes_parliament(path: Path) -> None:
    definition = json.loads(path.read_text())
    required = required_permissions(Subject(definition, Evidence()))
    written = {role: policy_of(role, required) for role in roles(required)}
    assert run(definition, Evidence(policies=given(written)), select=["IAM"]) == []
    for role, policy in written.items():
        assert findings(policy) == [], role


@pytest.mark.parametrize("role", LEAST)
def test_each_removed_statement_is_reported_as_missing(role: str) -> None:
    for index, taken in enumerate(LEAST[role]["Statement"]):
        left = [other for place, other in enumerate(LEAST[role]["Statement"]) if place != index]
        broken = {**LEAST, role: {**LEAST[role], "Statement": left}}
        (found,) = run(document(), evidence(broken))
        assert found.code == "IAM001"
        written = json.loads(found.remedy.removeprefix("add "))
        assert written == {**taken, "Sid": written["Sid"]}


def test_the_remedy_for_full_access_is_the_least_policy() -> None:
    found = run(document(), Evidence(policies=given({"pipeline": FULL})), select=["IAM002"])
    (finding,) = found
    assert "sagemaker:*" in finding.cause
    written = json.loads(f"[{finding.remedy.removeprefix('write ')}]")
    assert {action for each in written for action in several(each["Action"])} >= {"sagemaker:CreateTrainingJob"}
    assert all("*" not in several(each["Resource"]) for each in written)


def test_a_deny_wins_over_an_allow() -> None:
    denial = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}
    broken = {**LEAST, "job": {**LEAST["job"], "Statement": [*LEAST["job"]["Statement"], denial]}}
    assert {finding.code for finding in run(document(), evidence(broken))} == {"IAM001"}


def test_a_condition_on_an_unknown_key_is_assumed_to_hold() -> None:
    statements = [
        {**statement, "Condition": {"StringEquals": {"aws:PrincipalTag/team": "dogs"}}}
        for statement in LEAST["job"]["Statement"]
    ]
    assert run(document(), evidence({**LEAST, "job": {**LEAST["job"], "Statement": statements}})) == []


def test_without_policies_roles_are_not_checked() -> None:
    assert run(document(), select=["IAM"]) == []


def test_a_job_without_a_role_uses_the_pipeline_role() -> None:
    assert "ecr:GetAuthorizationToken *" not in allowed("pipeline")
    assert "ecr:GetAuthorizationToken *" in allowed("pipeline", (("Train.Arguments.RoleArn", ""),))


def test_one_role_can_be_both() -> None:
    required = required_permissions(Subject(document(), Evidence(pipeline_role="job")))
    assert roles(required) == ["job"]
    assert findings(policy_of("job", required)) == []


def test_an_address_is_followed_to_where_it_was_first_written() -> None:
    assert f"s3:GetObject arn:aws:s3:::{'/'.join(('work', '*', 'Prepare', 'train'))}/*" in allowed("job")


def test_a_key_needs_permissions_wherever_it_is_used() -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/1"
    puts = (("Train.Arguments.ResourceConfig.VolumeKmsKeyId", key), ("Train.Arguments.OutputDataConfig.KmsKeyId", key))
    assert {f"kms:CreateGrant {key}", f"kms:GenerateDataKey {key}"} <= allowed("job", puts)
    alias = (("Train.Arguments.OutputDataConfig.KmsKeyId", "alias/mine"),)
    assert "kms:Decrypt arn:aws:kms:us-east-1:123456789012:key/*" in allowed("job", alias)


def test_a_network_needs_permissions_for_its_subnets() -> None:
    network = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    found = allowed("job", (("Train.Arguments.VpcConfig", network),))
    place = "arn:aws:ec2:us-east-1:123456789012"
    for resource in ("network-interface/*", "subnet/subnet-1", "security-group/sg-1"):
        assert f"ec2:CreateNetworkInterface {place}:{resource}" in found


def test_the_configuration_of_a_function_names_its_role() -> None:
    configuration = {"sagemaker-deploy": {"Role": "arn:aws:iam::123456789012:role/deploy"}}
    required = required_permissions(Subject(document(), Evidence(functions=configuration)))
    assert set(roles(required)) == {"job", "pipeline", "deploy"}
    (written,) = policy_of("deploy", required)["Statement"]
    assert written["Resource"].endswith("log-group:/aws/lambda/sagemaker-deploy:*")


def test_an_address_that_only_an_execution_knows_is_reported() -> None:
    place = "Train.Arguments.InputDataConfig.0.DataSource.S3DataSource.S3Uri"
    (line,) = unknown_requirements(subject(((place, get("Execution.PipelineName")),)))
    assert line.endswith("only an execution knows this address")
    assert list(unknown_requirements(subject(((place, own("x")),)))) == []


def test_the_end_of_a_name_selects_a_role() -> None:
    required = required_permissions(Subject(made((("Train.Arguments.RoleArn", f"{ROLE}s/our-trainer"),)), Evidence()))
    assert policy_of("trainer", required) == policy_of("our-trainer", required)
    with pytest.raises(UnknownRoleError, match=r"needs .*our-trainer.*, and none matches nobody"):
        policy_of("nobody", required)
