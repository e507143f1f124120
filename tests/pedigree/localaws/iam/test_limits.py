"""Boundaries, session policies and the policies of resources limit and grant as AWS documents it, through boto3.

"How AWS enforcement code logic evaluates requests to allow or deny access":
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"Permissions boundaries for IAM entities":
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from pedigree.iam import Policy, PolicyKind, Request, identity, parse, session
from pedigree.localaws.daemon import ACCOUNT, LocalAws
from pedigree.localaws.http.caller import Caller, Limit
from pedigree.localaws.http.protocol.errors import AccessDeniedError
from pedigree.localaws.iam.authorizer import Authorizer
from pedigree.localaws.iam.callers import Callers
from tests.support.calls import KnownResources
from tests.support.local_aws import REGION, client, running_local_aws
from tests.support.users import allowing, denying, document, made_user, refused, user_client

BUCKET = "shared"
OBJECTS = f"arn:aws:s3:::{BUCKET}/*"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
NAMES = (f"ann{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local"), enforces_iam=True) as local:
        client(local.url, "s3").create_bucket(Bucket=BUCKET)
        client(local.url, "s3").put_object(Bucket=BUCKET, Key="k", Body=b"x")
        yield local


@pytest.fixture
def iam(local: LocalAws) -> Any:
    return client(local.url, "iam")


@pytest.fixture
def name(local: LocalAws) -> Iterator[str]:
    """A new name; the bucket has no policy after the test."""
    yield next(NAMES)
    client(local.url, "s3").delete_bucket_policy(Bucket=BUCKET)


def managed(iam: Any, *statements: Mapping[str, Any]) -> str:
    """A managed policy's ARN."""
    made = iam.create_policy(PolicyName=f"p{next(NAMES)}", PolicyDocument=document(*statements))
    return str(made["Policy"]["Arn"])


def granting(principal: Any, *actions: str, **more: Any) -> Mapping[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": list(actions), "Resource": OBJECTS, **more}


def bucket_policy(local: LocalAws, *statements: Mapping[str, Any]) -> None:
    client(local.url, "s3").put_bucket_policy(Bucket=BUCKET, Policy=document(*statements))


def made_role(local: LocalAws, name: str, *statements: Mapping[str, Any], **more: Any) -> str:
    iam = client(local.url, "iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust), **more)["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
    return str(arn)


def assumed(local: LocalAws, role: str, service: str, **more: Any) -> Any:
    answer = client(local.url, "sts").assume_role(RoleArn=role, RoleSessionName="run", **more)
    return user_client(local, service, answer["Credentials"])


def read(s3: Any) -> bytes:
    return bytes(s3.get_object(Bucket=BUCKET, Key="k")["Body"].read())


def write(s3: Any) -> Any:
    return s3.put_object(Bucket=BUCKET, Key="k", Body=b"x")


def test_a_user_is_held_to_the_boundary_that_it_was_made_with(local: LocalAws, iam: Any, name: str) -> None:
    boundary = managed(iam, allowing("s3:Get*"))
    key = made_user(local, name, allowing("s3:*"), PermissionsBoundary=boundary)
    assert iam.get_user(UserName=name)["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    assert read(user_client(local, "s3", key)) == b"x"
    message = refused(lambda: write(user_client(local, "s3", key)), "AccessDenied", 403)
    assert message.endswith("because no permissions boundary allows the s3:PutObject action")


def test_a_boundary_comes_and_goes(local: LocalAws, iam: Any, name: str) -> None:
    key = made_user(local, name, allowing("s3:*"))
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=managed(iam, denying("s3:Put*")))
    refused(lambda: read(user_client(local, "s3", key)), "AccessDenied", 403)
    iam.delete_user_permissions_boundary(UserName=name)
    assert read(user_client(local, "s3", key)) == b"x"


def test_a_boundary_exists_as_long_as_it_limits_somebody(local: LocalAws, iam: Any, name: str) -> None:
    missing = f"arn:aws:iam::{ACCOUNT}:policy/never-made"
    for call in (
        lambda: iam.create_user(UserName=name, PermissionsBoundary=missing),
        lambda: made_role(local, name, PermissionsBoundary=missing),
    ):
        assert "does not exist or is not attachable" in refused(call, "NoSuchEntity", 404)
    boundary = managed(iam, allowing("s3:*"))
    made_role(local, name, PermissionsBoundary=boundary)
    refused(lambda: iam.delete_policy(PolicyArn=boundary), "DeleteConflict", 409)


def test_a_boundary_survives_a_restart(tmp_path: Any) -> None:
    with running_local_aws(tmp_path, enforces_iam=True) as local:
        boundary = managed(client(local.url, "iam"), allowing("s3:Get*"))
        key = made_user(local, "ann", allowing("s3:*"), PermissionsBoundary=boundary)
    with running_local_aws(tmp_path, enforces_iam=True) as local:
        refused(lambda: user_client(local, "s3", key).list_buckets(), "AccessDenied", 403)


def test_a_session_is_held_to_its_managed_policies(local: LocalAws, iam: Any, name: str) -> None:
    role, reading = made_role(local, name, allowing("s3:*")), managed(iam, allowing("s3:GetObject"))
    narrow = assumed(local, role, "s3", PolicyArns=[{"arn": reading}])
    assert read(narrow) == b"x"
    message = refused(lambda: write(narrow), "AccessDenied", 403)
    assert message.endswith("because no session policy allows the s3:PutObject action")
    wider = assumed(local, role, "s3", PolicyArns=[{"arn": reading}], Policy=document(allowing("s3:PutObject")))
    assert write(wider)


@pytest.mark.parametrize(
    ("limits", "code", "words"),
    [
        ({"Policy": "{"}, "MalformedPolicyDocument", "is no JSON document"),
        ({"Policy": '{"Version": "2012-10-17"}'}, "MalformedPolicyDocument", "has no statements"),
        ({"Policy": document(allowing("s3:*", resource="arn:aws:s3"))}, "MalformedPolicyDocument", "incomplete ARN"),
        ({"PolicyArns": [{"arn": f"arn:aws:iam::{ACCOUNT}:policy/never-made"}]}, "NoSuchEntity", "never-made"),
        ({"SerialNumber": f"arn:aws:iam::{ACCOUNT}:mfa/ann"}, "ValidationError", "SerialNumber is not supported"),
        ({"SourceIdentity": "ann"}, "ValidationError", "SourceIdentity is not supported"),
        ({"TransitiveTagKeys": ["team"]}, "InvalidParameterValue", "must be included in the requested tags"),
        ({"DurationSeconds": 7200}, "ValidationError", "exceeds the MaxSessionDuration"),
    ],
)
def test_what_could_not_be_enforced_is_refused(
    local: LocalAws, name: str, limits: Mapping[str, Any], code: str, words: str
) -> None:
    role = made_role(local, name, allowing("s3:*"))
    with pytest.raises(ClientError, match=words) as raised:
        assumed(local, role, "s3", **limits)
    assert raised.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    "call",
    [
        lambda sts: sts.get_session_token(),
        lambda sts: sts.assume_role_with_web_identity(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/r", RoleSessionName="ann", WebIdentityToken="token"
        ),
    ],
)
def test_keys_that_would_open_nothing_or_everything_are_not_given_out(
    local: LocalAws, call: Callable[[Any], Any]
) -> None:
    anonymous = client(local.url, "sts")
    anonymous.meta.events.register("choose-signer.sts.*", lambda **_: "v4")
    assert "is not supported by the local AWS" in refused(lambda: call(anonymous), "InvalidAction", 400)


def test_tags_of_roles_and_sessions_are_condition_keys(local: LocalAws, name: str) -> None:
    of_cats = {**allowing("s3:GetObject"), "Condition": {"StringEquals": {"aws:PrincipalTag/team": "cats"}}}
    role = made_role(local, name, of_cats, Tags=[{"Key": "team", "Value": "cats"}])
    assert read(assumed(local, role, "s3")) == b"x"
    dogs = assumed(local, role, "s3", Tags=[{"Key": "team", "Value": "dogs"}])
    refused(lambda: read(dogs), "AccessDenied", 403)


def test_a_role_with_a_path_is_known_by_its_arn(local: LocalAws, name: str) -> None:
    path = "/a/very/long/path/that/makes/the/role/longer/than/its/session/"
    arn = f"arn:aws:iam::{ACCOUNT}:role{path}{name}"
    only = {**allowing("s3:GetObject"), "Condition": {"ArnEquals": {"aws:PrincipalArn": arn}}}
    role = made_role(local, name, only, Path=path)
    assert role == arn
    assert read(assumed(local, role, "s3")) == b"x"


def test_a_grant_to_a_user_is_not_limited_by_its_boundary(local: LocalAws, iam: Any, name: str) -> None:
    key = made_user(local, name, PermissionsBoundary=managed(iam, allowing("sqs:*")))
    user = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    bucket_policy(local, granting({"AWS": user}, "s3:GetObject"))
    assert read(user_client(local, "s3", key)) == b"x"
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=managed(iam, denying("s3:*")))
    message = refused(lambda: read(user_client(local, "s3", key)), "AccessDenied", 403)
    assert message.endswith("with an explicit deny in a permissions boundary")


@pytest.mark.parametrize(("to", "is_allowed"), [("session", True), ("role", False), ("everybody", True)])
def test_a_grant_to_a_role_is_limited_and_one_to_its_session_is_not(
    local: LocalAws, iam: Any, name: str, to: str, is_allowed: bool
) -> None:
    role = made_role(local, name, PermissionsBoundary=managed(iam, allowing("sqs:*")))
    session_arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/run"
    everybody = {"Condition": {"ArnEquals": {"aws:PrincipalArn": role}}}
    grants = {
        "session": granting({"AWS": session_arn}, "s3:GetObject"),
        "role": granting({"AWS": role}, "s3:GetObject"),
        "everybody": granting("*", "s3:GetObject", **everybody),
    }
    bucket_policy(local, grants[to])
    s3 = assumed(local, role, "s3")
    if is_allowed:
        assert read(s3) == b"x"
    else:
        message = refused(lambda: read(s3), "AccessDenied", 403)
        assert message.endswith("because no permissions boundary allows the s3:GetObject action")


ACTION, RESOURCE = "s3:GetObject", f"arn:aws:s3:::{BUCKET}/k"
USER, ROLE = f"arn:aws:iam::{ACCOUNT}:user/ann", f"arn:aws:iam::{ACCOUNT}:role/worker"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/run"
EFFECTS = st.sampled_from(("Allow", "Deny", None))


def policies(effect: str | None, kind: PolicyKind, **more: Any) -> tuple[Policy, ...]:
    """A policy that allows or denies everything, or one about something else."""
    statement = {"Effect": effect or "Allow", "Action": "*" if effect else "sqs:*", "Resource": "*", **more}
    return (parse({"Version": "2012-10-17", "Statement": statement}, kind=kind),)


class OneBucket(KnownResources):
    """Resources of which the bucket has a policy."""

    text = ""

    def policy(self, resource: str) -> str:
        return self.text


@given(
    st.sampled_from((USER, SESSION)), st.sampled_from((USER, ROLE, SESSION, ROOT)), EFFECTS, EFFECTS, EFFECTS, EFFECTS
)
def test_the_decision_is_the_one_of_the_documented_flow(
    caller_arn: str, named: str, own: str | None, boundary: str | None, session_policy: str | None, attached: str | None
) -> None:
    """The flow on the page about enforcement code logic, written once more: denies, direct grants, all limits."""
    is_session = caller_arn == SESSION
    limits = [Limit("permissions boundary", policies(boundary, PolicyKind.IDENTITY))]
    limits += [Limit("session policy", policies(session_policy, PolicyKind.IDENTITY))] if is_session else []
    principal = session(ROLE, SESSION, has_boundary=True) if is_session else identity(USER, has_boundary=True)
    caller = Caller(caller_arn, "id", principal, policies(own, PolicyKind.IDENTITY), tuple(limits))
    resources = OneBucket()
    statement = {"Effect": attached or "Allow", "Action": "*" if attached else "sqs:*", "Resource": "*"}
    OneBucket.text = json.dumps({"Version": "2012-10-17", "Statement": {**statement, "Principal": {"AWS": named}}})
    try:
        callers = Callers(lambda *_: pytest.fail("nobody is looked up"), ACCOUNT, lambda: 0.0)
        Authorizer(callers, resources).check(caller, [Request(ACTION, RESOURCE)], REGION)
        is_allowed = True
    except AccessDeniedError:
        is_allowed = False
    limiting = (boundary, session_policy) if is_session else (boundary,)
    names_caller = named == caller_arn
    names_somehow = names_caller or named == ROOT or (is_session and named == ROLE)
    denied = "Deny" in (own, *limiting) or (attached == "Deny" and names_somehow)
    direct = attached == "Allow" and names_caller
    granted = own == "Allow" or direct or (attached == "Allow" and is_session and named == ROLE)
    assert is_allowed is (not denied and (direct or (granted and all(effect == "Allow" for effect in limiting))))
