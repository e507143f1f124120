"""What roles need: told from the definition, held against policies by IAM's logic, written as the least policy."""

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
from tests.pedigree.checks.cases_iam import LEAST, beside
from tests.pedigree.checks.small import ROLE, document, get, own
from tests.policies.role_settings import SETTINGS
from tests.support.definitions import CODE, configure
from tests.support.linting import findings
from tests.support.sdk_definitions import DEFINITIONS, name

GOLDEN = Path(__file__).parents[2] / "golden" / "definition.json"
FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}]}
OURS = {one: settings for one, settings in SETTINGS.items() if one != "longest"}  # whose roles have other names
Puts = tuple[tuple[str, Any], ...]


def subject(puts: Puts = ()) -> Subject:
    return Subject(made(puts), Evidence())


def allowed(role: str, puts: Puts = ()) -> set[str]:
    """What the least policy of a role allows, as words: an action and a resource."""
    listed = policy_of(role, required_permissions(subject(puts)))["Statement"]
    return {f"{a} {r}" for one in listed for a in several(one["Action"]) for r in several(one["Resource"])}


def several(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def given(policies: Mapping[str, Any]) -> Mapping[str, list[Policy]]:
    return {role: [parse(one, name=role)] for role, one in policies.items()}


@pytest.mark.parametrize("settings", OURS)
def test_our_own_roles_are_allowed_what_is_needed_and_nothing_else(settings: str) -> None:
    configured = configure(OURS[settings])
    definition = json.loads(render(configured, CODE))
    policies = given({role: one.policy for role, one in documents(configured).items()})
    assert run(definition, Evidence(policies=policies), select=["IAM"]) == []


@pytest.mark.parametrize("path", [*DEFINITIONS, GOLDEN], ids=name)
def test_what_is_written_is_enough_and_no_more_and_parliament_likes_it(path: Path) -> None:
    definition = json.loads(path.read_text())
    needs = required_permissions(Subject(definition, Evidence()))
    written = {role: policy_of(role, needs) for role in roles(needs)}
    assert run(definition, Evidence(policies=given(written)), select=["IAM"]) == []
    for role, policy in written.items():
        assert findings(policy) == [], role


@pytest.mark.parametrize("role", LEAST)
def test_each_statement_that_is_taken_away_is_missed(role: str) -> None:
    for index, taken in enumerate(LEAST[role]["Statement"]):
        left = [one for place, one in enumerate(LEAST[role]["Statement"]) if place != index]
        broken = {**LEAST, role: {**LEAST[role], "Statement": left}}
        (found,) = run(document(), beside(broken))
        assert found.code == "IAM001"
        written = json.loads(found.remedy.removeprefix("add "))
        assert written == {**taken, "Sid": written["Sid"]}


def test_full_access_is_answered_with_what_to_write_instead() -> None:
    found = run(document(), Evidence(policies=given({"pipeline": FULL})), select=["IAM002"])
    (one,) = found
    assert "sagemaker:*" in one.cause
    written = json.loads(f"[{one.remedy.removeprefix('write ')}]")
    assert {action for each in written for action in several(each["Action"])} >= {"sagemaker:CreateTrainingJob"}
    assert all("*" not in several(each["Resource"]) for each in written)


def test_a_denial_wins_over_what_is_allowed() -> None:
    denial = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}
    broken = {**LEAST, "job": {**LEAST["job"], "Statement": [*LEAST["job"]["Statement"], denial]}}
    assert {one.code for one in run(document(), beside(broken))} == {"IAM001"}


def test_a_condition_of_which_nothing_is_known_is_given_the_benefit_of_the_doubt() -> None:
    statements = [
        {**one, "Condition": {"StringEquals": {"aws:PrincipalTag/team": "dogs"}}} for one in LEAST["job"]["Statement"]
    ]
    assert run(document(), beside({**LEAST, "job": {**LEAST["job"], "Statement": statements}})) == []


def test_without_policies_nothing_is_said_of_roles() -> None:
    assert run(document(), select=["IAM"]) == []


def test_a_job_without_a_role_works_as_the_pipeline() -> None:
    assert "ecr:GetAuthorizationToken *" not in allowed("pipeline")
    assert "ecr:GetAuthorizationToken *" in allowed("pipeline", (("Train.Arguments.RoleArn", ""),))


def test_one_role_can_be_both() -> None:
    needs = required_permissions(Subject(document(), Evidence(pipeline_role="job")))
    assert roles(needs) == ["job"]
    assert findings(policy_of("job", needs)) == []


def test_an_address_is_followed_to_where_it_was_first_written() -> None:
    assert f"s3:GetObject arn:aws:s3:::{'/'.join(('work', '*', 'Prepare', 'train'))}/*" in allowed("job")


def test_a_key_is_asked_for_wherever_it_is_used() -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/1"
    puts = (("Train.Arguments.ResourceConfig.VolumeKmsKeyId", key), ("Train.Arguments.OutputDataConfig.KmsKeyId", key))
    assert {f"kms:CreateGrant {key}", f"kms:GenerateDataKey {key}"} <= allowed("job", puts)
    alias = (("Train.Arguments.OutputDataConfig.KmsKeyId", "alias/mine"),)
    assert "kms:Decrypt arn:aws:kms:us-east-1:123456789012:key/*" in allowed("job", alias)


def test_a_network_is_asked_for_with_its_subnets() -> None:
    network = {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    found = allowed("job", (("Train.Arguments.VpcConfig", network),))
    place = "arn:aws:ec2:us-east-1:123456789012"
    for one in ("network-interface/*", "subnet/subnet-1", "security-group/sg-1"):
        assert f"ec2:CreateNetworkInterface {place}:{one}" in found


def test_a_functions_role_is_known_by_its_configuration() -> None:
    configuration = {"sagemaker-deploy": {"Role": "arn:aws:iam::123456789012:role/deploy"}}
    needs = required_permissions(Subject(document(), Evidence(functions=configuration)))
    assert set(roles(needs)) == {"job", "pipeline", "deploy"}
    (written,) = policy_of("deploy", needs)["Statement"]
    assert written["Resource"].endswith("log-group:/aws/lambda/sagemaker-deploy:*")


def test_what_only_an_execution_knows_is_told() -> None:
    place = "Train.Arguments.InputDataConfig.0.DataSource.S3DataSource.S3Uri"
    (line,) = unknown_requirements(subject(((place, get("Execution.PipelineName")),)))
    assert line.endswith("only an execution knows this address")
    assert list(unknown_requirements(subject(((place, own("x")),)))) == []


def test_a_role_is_called_by_the_end_of_its_name() -> None:
    needs = required_permissions(Subject(made((("Train.Arguments.RoleArn", f"{ROLE}s/our-trainer"),)), Evidence()))
    assert policy_of("trainer", needs) == policy_of("our-trainer", needs)
    with pytest.raises(UnknownRoleError, match=r"needs .*our-trainer.*, and none matches nobody"):
        policy_of("nobody", needs)
