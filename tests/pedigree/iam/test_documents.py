"""A malformed policy is refused in one line that says where and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pedigree.iam import PolicyKind, parse
from pedigree.iam.errors import PolicyError

STATEMENT = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
WHOLE = {"Version": "2012-10-17", "Statement": [STATEMENT]}


def with_statement(**elements: Any) -> dict[str, Any]:
    changed = {key: value for key, value in {**STATEMENT, **elements}.items() if value is not None}
    return {**WHOLE, "Statement": [changed]}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "job has []; write keys and values"),
        ({**WHOLE, "Statements": []}, "job has the unknown element 'Statements'"),
        ({**WHOLE, "Version": "2012-10-18"}, "job has the version '2012-10-18'; write 2012-10-17"),
        ({"Version": "2012-10-17"}, "job has no statements; write at least one"),
        ({**WHOLE, "Statement": []}, "job has no statements; write at least one"),
        ({**WHOLE, "Statement": ["Allow"]}, "job, statement 1: has 'Allow'; write keys and values"),
        ({**WHOLE, "Statement": [STATEMENT, {}]}, "job, statement 2: has the effect None; write Allow or Deny"),
        (with_statement(Effect="allow"), "job, statement 1: has the effect 'allow'; write Allow or Deny"),
        (with_statement(Effect=["Allow"]), "job, statement 1: has the effect ['Allow']; write Allow or Deny"),
        (with_statement(Sid="a b"), "job, statement 1: has the Sid 'a b'; write letters and digits"),
        (with_statement(Sid="A", Actions="x"), "statement 1: has the unknown element 'Actions'"),
        (with_statement(Sid="Read", Action=None), "job, statement 1 (Read): has neither of Action and NotAction"),
        (with_statement(NotAction="s3:*"), "has both of Action and NotAction; write one of them"),
        (with_statement(Resource=None), "has neither of Resource and NotResource; write one of them"),
        (with_statement(Action=[]), "has []; write a text or a list of texts"),
        (with_statement(Action=""), "has ''; write a text or a list of texts"),
        (with_statement(Action=[["s3:GetObject"]]), "has [['s3:GetObject']]; write a text or a list of texts"),
        (with_statement(Action="GetObject"), "has the action 'GetObject'; write one like s3:GetObject"),
        (with_statement(Action="s3:Get Object"), "has the action 's3:Get Object'; write one like s3:GetObject"),
        (with_statement(Resource="bucket/key"), "has the resource 'bucket/key'; write an ARN, or * for all"),
        (
            with_statement(Principal="*"),
            "has Principal, and the policy is about the principal that has it; leave it out",
        ),
        (with_statement(Condition=[]), "has [] in Condition; write keys and values"),
        (with_statement(Condition={"StringEquals": "a"}), "has 'a' in StringEquals; write keys and values"),
        (
            with_statement(Condition={"StringEqual": {"aws:username": "a"}}),
            "has the unknown condition operator 'StringEqual'",
        ),
        (
            with_statement(Condition={"ForSomeValues:StringEquals": {"aws:username": "a"}}),
            "has the unknown condition operator 'ForSomeValues:StringEquals'",
        ),
        (
            with_statement(Condition={"NullIfExists": {"a:b": "true"}}),
            "unknown condition operator 'NullIfExists'",
        ),
        (with_statement(Condition={"Null": {"a:b": "maybe"}}), "has the value 'maybe'; write true or false"),
        (with_statement(Condition={"NumericEquals": {"a:b": "ten"}}), "has the value 'ten'; write a number"),
        (with_statement(Condition={"NumericEquals": {"a:b": "${a:c}"}}), "has a variable in NumericEquals"),
        (with_statement(Condition={"DateEquals": {"a:b": "today"}}), "has the value 'today'; write a time like"),
        (with_statement(Condition={"DateEquals": {"a:b": "9" * 99}}), "write a time like"),
        (
            with_statement(Condition={"IpAddress": {"a:b": "10.0.0.0/40"}}),
            "has the value '10.0.0.0/40'; write an address",
        ),
        (with_statement(Condition={"BinaryEquals": {"a:b": "?"}}), "has the value '?'; write base64"),
        ({**WHOLE, "Statement": [{**STATEMENT, "Sid": "A"}] * 2}, "job has the Sid 'A' more than once"),
    ],
)
def test_a_malformed_identity_policy_is_refused(document: Any, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse(document, name="job")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ({}, "has neither of Principal and NotPrincipal"),
        ({"Principal": "arn:aws:iam::123456789012:root"}, "write keys and values"),
        ({"Principal": {"User": "ann"}}, "has the unknown element 'User'; write AWS, Service"),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:role/*"}}, "with a wildcard; write it out"),
        ({"Principal": "*", "NotPrincipal": "*"}, "has both of Principal and NotPrincipal"),
        ({"Principal": {"Service": []}}, "has []; write a text or a list of texts"),
        ({"Principal": {"AWS": "ann"}}, "has the principal 'ann'; write an account's id, or the ARN of a user"),
        ({"Principal": {"AWS": "arn:aws:s3:::bucket"}}, "has the principal 'arn:aws:s3:::bucket'"),
        ({"Principal": "*", "Resource": "arn:aws:sqs"}, "has the incomplete ARN 'arn:aws:sqs'; write all six parts"),
    ],
)
def test_a_malformed_resource_policy_is_refused(elements: Mapping[str, Any], message: str) -> None:
    with pytest.raises(PolicyError, match=r"^queue, statement 1: ") as caught:
        parse(with_statement(**elements), name="queue", kind=PolicyKind.RESOURCE)
    assert message in str(caught.value)


def test_a_trust_names_no_resource() -> None:
    with pytest.raises(PolicyError, match="has Resource, and a trust is about its own role; leave it out"):
        parse(with_statement(Principal="*"), kind=PolicyKind.TRUST)


def test_a_trust_excepts_nobody() -> None:
    elements = {"Effect": "Deny", "NotPrincipal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}
    with pytest.raises(PolicyError, match="has NotPrincipal, and a trust says who may assume the role; leave it out"):
        parse({"Version": "2012-10-17", "Statement": elements}, kind=PolicyKind.TRUST)


def test_policies_that_aws_services_write_are_accepted() -> None:
    statement = {"Sid": "allow-rule_1", "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}}
    document = {
        "Version": "2008-10-17",
        "Id": "x",
        "Statement": {**statement, "Action": "sqs:SendMessage", "Resource": "*"},
    }
    assert parse(document, kind=PolicyKind.RESOURCE).statements[0].sid == "allow-rule_1"
