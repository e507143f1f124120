"""The documents of iam/: filled from settings, no wider than necessary, and valid for IAM."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from pedigree.account.errors import UnfilledError
from pedigree.iam import PolicyKind, Request, decide, parse
from pipeline.account.roles import RoleDocuments, documents, documents_folder, filled
from steps.site import RolesConfig
from tests.policies.all_tables import MODULES
from tests.policies.arns import ACCOUNT, EVERYTHING, IN_ACCOUNT, SUBNET
from tests.policies.role_settings import SETTINGS
from tests.support.definitions import configure
from tests.support.linting import Finding, findings, is_action
from tests.support.strategies import Values, valid_settings

INLINE, MANAGED = 10_240, 6_144  # characters that IAM takes: in a role's own policies together, in a managed one
# Actions for which IAM knows no resource, or takes none but all; iam/README.md has the reasons.
ON_EVERYTHING = {
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingActivities",
    "application-autoscaling:DescribeScalingPolicies",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:PutMetricData",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeImages",
    "ec2:DescribeInstances",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ecr:GetAuthorizationToken",
    "lambda:CreateEventSourceMapping",
    "lambda:ListEventSourceMappings",
    "logs:DescribeLogGroups",
    "pricing:GetProducts",
    "sagemaker:ListDomains",
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListModels",
    "tag:GetResources",
}
ACCEPTED = Finding("RESOURCE_STAR", "['cloudwatch:DescribeAlarms']")
ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"  # a trust names no resource, and parliament wants one
CONDITIONED = {
    "cloudwatch:PutMetricData": "cloudwatch:namespace",
    "lambda:CreateEventSourceMapping": "lambda:FunctionArn",
}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def every(name: str) -> Iterator[tuple[str, RoleDocuments]]:
    yield from documents(configure(SETTINGS[name])).items()


def statements(name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for role, found in every(name):
        yield from ((role, statement) for statement in found.policy["Statement"])


def length(document: Mapping[str, Any]) -> int:
    """As IAM counts: without white space."""
    return len(json.dumps(document, separators=(",", ":")))


@pytest.mark.parametrize("name", SETTINGS)
def test_iam_takes_every_document(name: str) -> None:
    for role, found in every(name):
        assert parse(found.trust, name=role, kind=PolicyKind.TRUST).statements
        assert parse(found.policy, name=role).statements


@pytest.mark.parametrize("name", SETTINGS)
def test_no_document_is_too_long(name: str) -> None:
    for role, found in every(name):
        lengths = {part: length(document) for part, document in found.parts.items()}
        assert max(lengths.values()) <= MANAGED, f"{role}: {lengths}"
        assert role == "operator" or length(found.policy) <= INLINE, f"{role}: {lengths}"


@pytest.mark.parametrize("name", SETTINGS)
def test_parliament_finds_nothing_but_the_right_to_describe_all_alarms(name: str) -> None:
    for role, found in every(name):
        trust = {
            **found.trust,
            "Statement": [{**statement, "Resource": ROLE} for statement in found.trust["Statement"]],
        }
        for document in (found.policy, trust):
            assert set(findings(document)) <= {ACCEPTED}, role


def test_actions_are_written_out() -> None:
    for role, statement in statements("everything"):
        for action in listed(statement["Action"]):
            assert re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9]+", action), f"{role}: {action}"


def test_only_what_knows_no_narrower_resource_is_allowed_on_all() -> None:
    found_on_everything = set()
    for role, statement in [row for name in SETTINGS for row in statements(name)]:
        if statement["Effect"] == "Allow" and "*" in listed(statement["Resource"]):
            for action in listed(statement["Action"]):
                found_on_everything.add(action)
                assert action in ON_EVERYTHING, f"{role}: {action}"
                keys = [key for keys in statement.get("Condition", {}).values() for key in keys]
                assert CONDITIONED.get(action) in [None, *keys], f"{role}: {action}"
    assert found_on_everything == ON_EVERYTHING


def test_the_readme_gives_a_reason_for_each_of_them() -> None:
    readme = (documents_folder() / "README.md").read_text(encoding="utf-8")
    rows = "\n".join(re.findall(r"^\| `.*$", readme, re.MULTILINE))
    assert set(re.findall(r"`([a-z0-9-]+:[A-Za-z]+)`", rows)) == ON_EVERYTHING


@pytest.mark.parametrize("name", SETTINGS)
def test_a_service_takes_a_role_for_this_account_only(name: str) -> None:
    for role, found in every(name):
        for statement in found.trust["Statement"]:
            if "Service" in statement["Principal"] and role != "ec2":
                keys = {key: value for keys in statement["Condition"].values() for key, value in keys.items()}
                assert keys["aws:SourceAccount"] == ACCOUNT
                assert all(f":{ACCOUNT}:" in source for source in listed(keys["aws:SourceArn"]))


def test_passing_a_role_names_the_role_and_the_service() -> None:
    for role, statement in statements("everything"):
        if "iam:PassRole" in listed(statement["Action"]):
            assert statement["Action"] == "iam:PassRole", role
            assert not [resource for resource in listed(statement["Resource"]) if "*" in resource], role
            assert statement["Condition"]["StringEquals"]["iam:PassedToService"], role


def test_every_action_in_the_tables_is_one_of_iams() -> None:
    tables = [table for module in MODULES for table in module.TABLES]
    actions = {
        request.action for table in tables for request in (*table.may, *table.may_not, *table.trusts, *table.trusts_not)
    }
    assert not [action for action in actions if not is_action(action)]


def test_settings_decide_which_parts_join() -> None:
    plain, full = documents(configure(IN_ACCOUNT)), documents(configure(EVERYTHING))
    assert list(plain["job"].parts) == ["policy"]
    assert sorted(full["job"].parts) == ["data", "output-key", "policy", "spot", "volume-key", "vpc", "weights"]
    assert sorted(full["deploy"].parts) == ["isolation", "policy", "volume-key", "vpc"]
    assert sorted(documents(configure(SETTINGS["debugger"]))["job"].parts) == ["debugger", "policy"]
    assert sorted(documents(configure(SETTINGS["alias"]))["job"].parts) == ["output-alias", "policy"]
    assert sorted(plain["operator"].parts) == ["functions", "instances", "policy", "roles", "upsert"]


def test_a_policy_is_its_parts_together_what_always_holds_first() -> None:
    found = documents(configure(EVERYTHING))["job"]
    assert next(iter(found.parts)) == "policy"
    assert found.policy["Statement"] == [statement for part in found.parts.values() for statement in part["Statement"]]


def test_every_file_of_every_role_joins_for_some_settings() -> None:
    joined = {(role, part) for name in SETTINGS for role, found in every(name) for part in (*found.parts, "trust")}
    files = {(path.parent.name, path.stem) for path in documents_folder().glob("*/*.json")}
    assert files == joined


def test_there_is_a_folder_for_every_role_of_settings() -> None:
    assert set(documents(configure({}))) == {*RolesConfig().model_dump(by_alias=True), "operator"}


def test_what_nothing_fills_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "job" / "policy.json"
    path.parent.mkdir()
    path.write_text('{"Statement": [{"Resource": ["arn:aws:s3:::${Bukcet}/*"]}]}')
    with pytest.raises(UnfilledError, match=re.escape("iam/job/policy.json has ${Bukcet}, which nothing fills")):
        filled(path, {"Bucket": "mine"})


def test_what_settings_have_not_leaves_no_hole() -> None:
    for role, found in every("default"):
        for document in (found.trust, found.policy):
            assert "${" not in json.dumps(document), role
            assert "::/" not in json.dumps(document), role


def test_a_value_is_no_pattern() -> None:
    chosen = configure({**IN_ACCOUNT, "data.source": "s3://images/*/${aws:username}/?.zip"})
    policy = parse(documents(chosen)["job"].policy)
    said = {"aws:username": "ann"}
    assert decide([policy], Request("s3:GetObject", "arn:aws:s3:::images/*/${aws:username}/?.zip", said)).allowed
    assert not decide([policy], Request("s3:GetObject", "arn:aws:s3:::images/x/ann/a.zip", said)).allowed


def test_a_list_stands_where_its_placeholder_stood() -> None:
    vpc = documents(configure(EVERYTHING))["pipeline"].parts["vpc"]["Statement"][1]
    assert vpc["Condition"] == {"ForAnyValue:StringNotEquals": {"sagemaker:VpcSubnets": SUBNET}}
    two = documents(configure({**EVERYTHING, "site.network.subnets": [SUBNET, f"{SUBNET[:-1]}1"]}))
    vpc = two["pipeline"].parts["vpc"]["Statement"][1]
    assert vpc["Condition"]["ForAnyValue:StringNotEquals"]["sagemaker:VpcSubnets"] == [SUBNET, f"{SUBNET[:-1]}1"]


def test_capitals_in_names_of_sagemaker_count_either_way() -> None:
    found = documents(configure(SETTINGS["alias"]))["scheduler"].policy["Statement"][0]
    name = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:pipeline/"
    assert found["Resource"] == [f"{name}Dog-Breeds", f"{name}dog-breeds"]


def test_the_documents_are_found_from_a_folder_inside_of_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = documents_folder()
    monkeypatch.chdir(folder / "deploy")
    assert documents_folder() == folder


@given(valid_settings())
@settings(max_examples=20)
def test_any_settings_make_documents_that_iam_takes(values: Values) -> None:
    for role, found in documents(configure(values)).items():
        parse(found.trust, name=role, kind=PolicyKind.TRUST)
        parse(found.policy, name=role)
        assert role == "operator" or length(found.policy) <= INLINE
