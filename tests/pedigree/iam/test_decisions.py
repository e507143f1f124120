"""What IAM decides, case by case: which element of a statement is about which request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pedigree.iam import Outcome, PolicyKind, Request, decide, identity, parse, service, session

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/run"
USER = f"arn:aws:iam::{ACCOUNT}:user/ann"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
BUCKET = "arn:aws:s3:::bucket"
KEY = f"{BUCKET}/a/key"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"

ALLOWED, DENIED, SILENT = Outcome.ALLOWED, Outcome.EXPLICIT_DENY, Outcome.IMPLICIT_DENY


def document(*statements: Mapping[str, Any], version: str = "2012-10-17") -> dict[str, Any]:
    return {"Version": version, "Statement": [{"Effect": "Allow", **statement} for statement in statements]}


def allows(statement: Mapping[str, Any], request: Request, *, version: str = "2012-10-17") -> bool:
    whole = {"Resource": "*"} if "NotResource" not in statement else {}
    action = {"Action": "*"} if "NotAction" not in statement else {}
    return decide([parse(document({**whole, **action, **statement}, version=version))], request).allowed


@pytest.mark.parametrize(
    ("element", "action", "covered"),
    [
        ({"Action": "s3:GetObject"}, "s3:GetObject", True),
        ({"Action": "S3:getobject"}, "s3:GetObject", True),
        ({"Action": "s3:GetObject"}, "s3:GetObjectAcl", False),
        ({"Action": "s3:Get*"}, "s3:GetObjectAcl", True),
        ({"Action": "s3:Get*"}, "s3:ListBucket", False),
        ({"Action": "s3:*Object*"}, "s3:PutObjectAcl", True),
        ({"Action": "s3:?etObject"}, "s3:GetObject", True),
        ({"Action": "s3:?etObject"}, "s3:PutObject", False),
        ({"Action": ["sqs:*", "s3:PutObject"]}, "s3:PutObject", True),
        ({"Action": "*"}, "iam:PassRole", True),
        ({"NotAction": "s3:*"}, "s3:GetObject", False),
        ({"NotAction": "s3:*"}, "iam:PassRole", True),
        ({"NotAction": ["iam:*", "S3:GETOBJECT"]}, "s3:GetObject", False),
    ],
)
def test_actions(element: Mapping[str, Any], action: str, covered: bool) -> None:
    assert allows(element, Request(action, KEY)) is covered


@pytest.mark.parametrize(
    ("element", "resource", "covered"),
    [
        ({"Resource": KEY}, KEY, True),
        ({"Resource": KEY}, KEY.upper(), False),
        ({"Resource": f"{BUCKET}/*"}, KEY, True),
        ({"Resource": f"{BUCKET}/*"}, BUCKET, False),
        ({"Resource": f"{BUCKET}/?/key"}, KEY, True),
        ({"Resource": f"{BUCKET}/*/k*y"}, KEY, True),
        ({"Resource": "*"}, "*", True),
        ({"Resource": f"{BUCKET}/*"}, "*", False),
        ({"Resource": "arn:aws:lambda:*:*:function:f"}, FUNCTION, True),
        ({"Resource": "arn:aws:lambda:*:function:f"}, FUNCTION, False),
        ({"Resource": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:*"}, f"{FUNCTION}:live", True),
        ({"Resource": "arn:aws:lambda:*"}, FUNCTION, True),
        ({"NotResource": f"{BUCKET}/a/*"}, KEY, False),
        ({"NotResource": f"{BUCKET}/b/*"}, KEY, True),
        ({"Resource": f"{BUCKET}/a*a*a*b"}, f"{BUCKET}/{'a' * 2000}", False),
    ],
)
def test_resources(element: Mapping[str, Any], resource: str, covered: bool) -> None:
    assert allows(element, Request("s3:GetObject", resource)) is covered


@pytest.mark.parametrize(
    ("resource", "context", "covered"),
    [
        (f"{BUCKET}/${{aws:username}}/key", {"aws:username": "a"}, True),
        (f"{BUCKET}/${{AWS:UserName}}/key", {"aws:username": "a"}, True),
        (f"{BUCKET}/${{aws:username}}/key", {"aws:username": "b"}, False),
        (f"{BUCKET}/${{aws:username}}/key", {}, False),
        (f"{BUCKET}/${{aws:username}}/key", {"aws:username": "*"}, False),
        (f"{BUCKET}/${{aws:username, 'a'}}/key", {}, True),
        (f"{BUCKET}/${{aws:username, 'a'}}/key", {"aws:username": "b"}, False),
        (f"{BUCKET}/${{aws:TagKeys}}/key", {"aws:TagKeys": ["a", "b"]}, False),
        (f"{BUCKET}/a/${{*}}", {}, False),
        (f"{BUCKET}/*/${{aws:PrincipalTag/team}}*", {"aws:PrincipalTag/team": "k"}, True),
    ],
)
def test_variables_in_resources(resource: str, context: Mapping[str, Any], covered: bool) -> None:
    assert allows({"Resource": resource}, Request("s3:GetObject", KEY, context)) is covered


def test_a_resource_with_an_unknown_variable_is_not_allowed() -> None:
    statement = {"NotResource": f"{BUCKET}/${{aws:username}}/*"}
    assert not allows(statement, Request("s3:GetObject", KEY))
    assert allows(statement, Request("s3:GetObject", KEY, {"aws:username": "b"}))


def test_an_old_version_has_no_variables() -> None:
    literal = Request("s3:GetObject", f"{BUCKET}/${{aws:username}}", {"aws:username": "a"})
    assert allows({"Resource": f"{BUCKET}/${{aws:username}}"}, literal, version="2008-10-17")
    assert not allows({"Resource": f"{BUCKET}/${{aws:username}}"}, literal)


@pytest.mark.parametrize(
    ("operator", "expected", "value", "holds"),
    [
        ("StringEquals", "a", "a", True),
        ("stringequals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", "${aws:userid}", "ann", True),
        ("StringEquals", ["${aws:missing}", "x"], "x", True),
        ("StringEquals", "${aws:missing}", "x", False),
        ("StringNotEquals", "${aws:missing}", "x", False),
        ("StringNotEquals", ["a", "b"], "c", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", "a", None, True),
        ("StringEquals", "a", None, False),
        ("StringEqualsIfExists", "a", None, True),
        ("StringEqualsIfExists", "a", "b", False),
        ("StringEqualsIgnoreCase", "ABC", "abc", True),
        ("StringNotEqualsIgnoreCase", "ABC", "abc", False),
        ("StringLike", "a*c", "abbc", True),
        ("StringLike", "a?c", "abbc", False),
        ("StringLike", "a${*}", "ab", False),
        ("StringLike", "a${*}", "a*", True),
        ("StringNotLike", "a*", "b", True),
        ("StringEquals", "a", ["a", "b"], False),
        ("StringNotEquals", "c", ["a", "b"], False),
        ("ForAnyValue:StringEquals", ["b", "c"], ["a", "b"], True),
        ("ForAnyValue:StringEquals", "c", ["a", "b"], False),
        ("ForAnyValue:StringEquals", "a", None, False),
        ("ForAnyValue:StringNotEquals", "a", ["a", "b"], True),
        ("ForAnyValue:StringLikeIfExists", "a*", None, True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "b", "a"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
        ("ForAllValues:StringEquals", "a", None, True),
        ("ForAllValues:StringEquals", "a", [], True),
        ("ForAllValues:StringNotLike", "x*", ["a", "xy"], False),
        ("Bool", "true", True, True),
        ("Bool", True, "TRUE", True),
        ("Bool", "false", True, False),
        ("BoolIfExists", "true", None, True),
        ("Null", "true", None, True),
        ("Null", "true", "a", False),
        ("Null", False, "a", True),
        ("NumericEquals", "10", "10.0", True),
        ("NumericNotEquals", "10", "11", True),
        ("NumericNotEquals", "10", "ten", False),
        ("NumericLessThan", 10, 9.5, True),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", "10", "10", False),
        ("NumericGreaterThanEquals", ["100", "10"], "20", True),
        ("DateLessThan", "2027-01-01T00:00:00Z", "2026-12-31T23:59:59Z", True),
        ("DateGreaterThan", "2027-01-01T02:00:00+02:00", "2027-01-01T00:00:01Z", True),
        ("DateEquals", "1800000000", "2027-01-15T08:00:00Z", True),
        ("DateNotEquals", "2027-01-01", "2027-01-01T00:00:00Z", False),
        ("DateLessThanEquals", "2027-01-01T00:00:00Z", "soon", False),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
        ("IpAddress", ["10.0.0.0/8", "2001:db8::/32"], "2001:db8::1", True),
        ("IpAddress", "10.1.2.3", "10.1.2.4", False),
        ("NotIpAddress", "10.0.0.0/8", "2001:db8::1", True),
        ("NotIpAddress", "10.0.0.0/8", "nowhere", False),
        ("ArnLike", f"arn:aws:lambda:*:{ACCOUNT}:function:*", FUNCTION, True),
        ("ArnLike", "arn:aws:lambda:*:function:f", FUNCTION, False),
        ("ArnEquals", "arn:aws:*:us-east-1:*:function:?", FUNCTION, True),
        ("ArnNotLike", "arn:aws:lambda:*:*:*", FUNCTION, False),
        ("ArnNotEquals", "arn:aws:lambda:*:*:*", "no ARN", False),
        ("ArnLike", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:${{aws:userid}}", f"{FUNCTION[:-1]}ann", True),
        ("BinaryEquals", "cGVkaWdyZWU=", "cGVkaWdyZWU=", True),
        ("BinaryEquals", "cGVkaWdyZWU=", "b3RoZXI=", False),
    ],
)
def test_conditions(operator: str, expected: Any, value: Any, holds: bool) -> None:
    context = {"aws:userid": "ann"} if value is None else {"aws:userid": "ann", "service:Key": value}
    statement = {"Condition": {operator: {"SERVICE:key": expected}}}
    assert allows(statement, Request("s3:GetObject", KEY, context)) is holds


def test_all_conditions_must_hold() -> None:
    statement = {"Condition": {"StringEquals": {"a:x": "1", "a:y": "2"}, "Bool": {"a:z": "true"}}}
    everything: dict[str, str | bool] = {"a:x": "1", "a:y": "2", "a:z": True}
    assert allows(statement, Request("s3:GetObject", KEY, everything))
    for key in everything:
        assert not allows(statement, Request("s3:GetObject", KEY, {**everything, key: "other"}))


def test_a_deny_wins_in_any_order() -> None:
    allow, deny = {"Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "s3:*", "Resource": f"{BUCKET}/*"}
    request = Request("s3:GetObject", KEY)
    for statements in ((allow, deny), (deny, allow)):
        assert decide([parse(document(*statements))], request).outcome is DENIED
    assert decide([parse(document(allow)), parse(document(deny))], request).outcome is DENIED
    assert decide([parse(document(allow, deny))], Request("sqs:SendMessage", "*")).outcome is ALLOWED


def test_a_decision_says_which_statement_made_it() -> None:
    deny = {"Sid": "KeepOut", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    policy = parse(document({"Action": "sqs:*", "Resource": "*"}, deny), name="job")
    assert decide([policy], Request("s3:GetObject", KEY)).why == "denied by job, statement 2 (KeepOut)"
    assert decide([policy], Request("sqs:SendMessage")).why == "allowed by job, statement 1"
    assert decide([policy], Request("iam:PassRole")).why == "no statement allows it"
    assert decide([], Request("iam:PassRole")).outcome is SILENT


@pytest.mark.parametrize(
    ("principal", "who", "allowed"),
    [
        ({"Principal": "*"}, identity(USER), True),
        ({"Principal": {"AWS": "*"}}, identity(USER), True),
        ({"Principal": {"AWS": USER}}, identity(USER), True),
        ({"Principal": {"AWS": [ROLE, USER]}}, identity(USER), True),
        ({"Principal": {"AWS": USER}}, identity(ROLE), False),
        ({"Principal": {"AWS": ROLE}}, session(ROLE, SESSION), True),
        ({"Principal": {"AWS": SESSION}}, session(ROLE, SESSION), True),
        ({"Principal": {"AWS": SESSION}}, identity(ROLE), False),
        ({"Principal": {"AWS": ROOT}}, identity(USER), False),
        ({"Principal": {"AWS": ACCOUNT}}, identity(USER), False),
        ({"Principal": {"Service": "events.amazonaws.com"}}, service("events.amazonaws.com"), True),
        ({"Principal": {"Service": "events.amazonaws.com"}}, service("lambda.amazonaws.com"), False),
        ({"Principal": {"AWS": USER}}, service("events.amazonaws.com"), False),
        ({"NotPrincipal": {"AWS": ROLE}}, identity(USER), True),
        ({"NotPrincipal": {"AWS": ROLE}}, session(ROLE, SESSION), False),
        ({"NotPrincipal": {"AWS": ROOT}}, identity(USER), False),
    ],
)
def test_principals_of_a_resource_policy(principal: Mapping[str, Any], who: Any, allowed: bool) -> None:
    policy = parse(document({"Action": "*", "Resource": "*", **principal}), kind=PolicyKind.RESOURCE)
    assert decide([policy], Request("sqs:SendMessage", "*", principal=who)).allowed is allowed
    assert not decide([policy], Request("sqs:SendMessage", "*")).allowed


def test_either_side_may_allow_a_resource_and_either_may_deny_it() -> None:
    mine, request = (
        parse(document({"Action": "sqs:*", "Resource": "*"})),
        Request("sqs:SendMessage", "*", {}, identity(USER)),
    )
    account = {"Action": "*", "Resource": "*", "Principal": {"AWS": ROOT}}
    assert decide([mine, parse(document(account), kind=PolicyKind.RESOURCE)], request).allowed
    denial = parse(document({**account, "Effect": "Deny"}), kind=PolicyKind.RESOURCE)
    assert decide([mine, denial], request).outcome is DENIED


@pytest.mark.parametrize(
    ("principal", "who", "is_direct"),
    [
        ({"Principal": "*"}, session(ROLE, SESSION), True),
        ({"Principal": {"AWS": USER}}, identity(USER), True),
        ({"Principal": {"AWS": SESSION}}, session(ROLE, SESSION), True),
        ({"Principal": {"AWS": ROLE}}, session(ROLE, SESSION), False),
        ({"Principal": {"AWS": [ROLE, SESSION]}}, session(ROLE, SESSION), True),
    ],
)
def test_a_grant_to_a_user_or_a_session_itself_is_direct(
    principal: Mapping[str, Any], who: Any, is_direct: bool
) -> None:
    """AWS: "How AWS enforcement code logic evaluates requests to allow or deny access", resource-based policies.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    """
    policy = parse(document({"Action": "*", "Resource": "*", **principal}), kind=PolicyKind.RESOURCE)
    decision = decide([policy], Request("sqs:SendMessage", "*", principal=who))
    assert (decision.allowed, decision.is_direct) == (True, is_direct)


@pytest.mark.parametrize("excepted", [USER, ROLE, SESSION, ROOT])
@pytest.mark.parametrize("has_boundary", [True, False])
def test_a_deny_with_not_principal_excepts_nobody_who_has_a_boundary(excepted: str, has_boundary: bool) -> None:
    """AWS: "Permissions boundaries for IAM entities", the note on NotPrincipal.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    statement = {"Effect": "Deny", "NotPrincipal": {"AWS": excepted}, "Action": "*", "Resource": "*"}
    denial = parse(document(statement), kind=PolicyKind.RESOURCE)
    mine = parse(document({"Action": "*", "Resource": "*"}))
    user, taken = identity(USER, has_boundary=has_boundary), session(ROLE, SESSION, has_boundary=has_boundary)
    for who, names in ((user, (USER, ROOT)), (taken, (ROLE, SESSION, ROOT))):
        is_allowed = decide([mine, denial], Request("sqs:SendMessage", "*", principal=who)).allowed
        assert is_allowed is (excepted in names and not has_boundary)


@pytest.mark.parametrize(
    ("incomplete", "resource", "covered"),
    [
        ("arn:aws:sqs", f"arn:aws:sqs:us-east-1:{ACCOUNT}:queue", True),
        ("arn:aws:sqs:us-east-1", f"arn:aws:sqs:us-east-1:{ACCOUNT}:queue", True),
        ("arn:aws:sqs:us-east-1", f"arn:aws:sqs:eu-west-1:{ACCOUNT}:queue", False),
        ("arn:aws:s3", KEY, True),
        ("arn:aws:s3", FUNCTION, False),
    ],
)
@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_an_incomplete_arn_is_completed_with_wildcards(
    incomplete: str, resource: str, covered: bool, effect: str
) -> None:
    """AWS: "IAM JSON policy elements: Resource", the note on incomplete ARNs.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    policy = parse(document({"Effect": effect, "Action": "*", "Resource": incomplete}))
    outcome = {"Allow": ALLOWED, "Deny": DENIED}[effect] if covered else SILENT
    assert decide([policy], Request("any:Action", resource)).outcome is outcome


SOURCE = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": FUNCTION}
TRUST = {
    "Action": "sts:AssumeRole",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": FUNCTION}},
}


@pytest.mark.parametrize(
    ("action", "who", "context", "allowed"),
    [
        ("sts:AssumeRole", service("lambda.amazonaws.com"), SOURCE, True),
        ("sts:AssumeRole", service("ec2.amazonaws.com"), SOURCE, False),
        ("sts:AssumeRole", service("lambda.amazonaws.com"), {}, False),
        ("sts:AssumeRole", service("lambda.amazonaws.com"), {**SOURCE, "aws:SourceAccount": "000000000000"}, False),
        ("sts:AssumeRole", service("lambda.amazonaws.com"), {**SOURCE, "aws:SourceArn": f"{FUNCTION}2"}, False),
        ("sts:TagSession", service("lambda.amazonaws.com"), SOURCE, False),
        ("sts:AssumeRole", identity(USER), SOURCE, False),
    ],
)
def test_a_service_assumes_a_role_if_the_trust_allows_it(
    action: str, who: Any, context: Mapping[str, Any], allowed: bool
) -> None:
    trust = parse(document(TRUST), kind=PolicyKind.TRUST)
    assert decide([trust], Request(action, ROLE, context, who)).allowed is allowed


def test_a_user_assumes_a_role_if_the_trust_names_the_user_or_the_account_and_own_policies_allow_it() -> None:
    mine = parse(document({"Action": "sts:AssumeRole", "Resource": ROLE}))
    by_account = parse(document({"Action": "sts:AssumeRole", "Principal": {"AWS": ROOT}}), kind=PolicyKind.TRUST)
    by_name = parse(document({"Action": "sts:AssumeRole", "Principal": {"AWS": USER}}), kind=PolicyKind.TRUST)
    untrusting = parse(document(TRUST), kind=PolicyKind.TRUST)
    request = Request("sts:AssumeRole", ROLE, principal=identity(USER))
    assert decide([mine, by_account], request).allowed
    assert not decide([by_account], request).allowed
    assert decide([by_name], request).allowed
    assert not decide([mine, untrusting], request).allowed


def test_passing_a_role_is_an_action_whose_context_names_the_service() -> None:
    statement = {
        "Action": "iam:PassRole",
        "Resource": ROLE,
        "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    }
    assert allows(statement, Request("iam:PassRole", ROLE, {"iam:PassedToService": "sagemaker.amazonaws.com"}))
    assert not allows(statement, Request("iam:PassRole", ROLE, {"iam:PassedToService": "ec2.amazonaws.com"}))
    assert not allows(statement, Request("iam:PassRole", ROLE))
