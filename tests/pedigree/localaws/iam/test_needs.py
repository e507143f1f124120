"""The actions and resources that calls need, read from the requests that boto3 really sends."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedigree.iam import Request
from pedigree.localaws.http.parser import read_call
from pedigree.localaws.http.protocol.call import Call
from pedigree.localaws.http.protocol.errors import InvalidRequestError
from pedigree.localaws.http.protocol.models import input_shape, model
from pedigree.localaws.iam import s3_requests
from pedigree.localaws.iam.actions import TABLES, needs
from pedigree.localaws.iam.actions.members import path
from pedigree.localaws.iam.callers import Callers, UnknownKeyError
from tests.policies.arns import ACCOUNT, REGION, arn, role, sagemaker
from tests.support.calls import FUNCTION, UUID, KnownResources, client, exchange, sent
from tests.support.required_actions import ROWS, SCHEDULED, TAGS, TRAINING

DERIVED = {
    "sagemaker": {"CallbackExecution", "NewModelPackage", "VersionsOfGroup"},
    "lambda": {"Function", "FunctionAlone", "MappedFunction"},
    "sqs": {"QueueName"},
    "iam": {"RoleArn", "InstanceService", "LinkedRole", "Path"},
    "events": {"RulePath"},
    "ssm": {"Places"},
    "ec2": {"Region", "CreateAction", "Service", "ProfileRole", "AllSubnets", "AllGroups", "Taggable"},
}


def needed(service: str, operation: str, resources: KnownResources | None = None, **arguments: Any) -> list[Request]:
    request = sent(service, operation, **arguments)
    if service == "s3":
        return list(s3_requests.requests(request))
    assert request.call is not None
    assert request.operation == client(service).meta.method_to_api_mapping[operation]
    return list(needs.requests(TABLES[request.service], request.call, resources or KnownResources()))


def pairs(requests: list[Request]) -> set[str]:
    return {f"{request.action} {request.resource}" for request in requests}


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "expected"),
    [pytest.param(*row, id=f"{row[0]} {row[1]} {number}") for number, row in enumerate(ROWS)],
)
def test_a_call_needs(service: str, operation: str, arguments: Mapping[str, Any], expected: set[str]) -> None:
    assert pairs(needed(service, operation, **arguments)) == expected


def context_of(action: str, requests: list[Request]) -> Mapping[str, Any]:
    return next(request.context for request in requests if request.action == action)


def test_a_job_is_known_by_what_it_runs_on() -> None:
    network = {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
    request = {**TRAINING, "VpcConfig": network, "EnableNetworkIsolation": True}
    context = context_of("sagemaker:CreateTrainingJob", needed("sagemaker", "create_training_job", **request))
    assert context == {
        "sagemaker:InstanceTypes": ["ml.m5.large"],
        "sagemaker:VpcSubnets": ["subnet-1", "subnet-2"],
        "sagemaker:VpcSecurityGroupIds": ["sg-1"],
        "sagemaker:VolumeKmsKey": ["vol"],
        "sagemaker:OutputKmsKey": ["key"],
        "sagemaker:NetworkIsolation": [True],
    }


def test_a_role_is_handed_to_the_service_that_will_take_it() -> None:
    handed = {
        ("scheduler", "create_schedule"): SCHEDULED,
        ("sagemaker", "create_training_job"): TRAINING,
        ("lambda", "create_function"): {"FunctionName": "f", "Role": role("deploy"), "Code": {}},
    }
    for (service, operation), arguments in handed.items():
        context = context_of("iam:PassRole", needed(service, operation, **arguments))
        assert context["iam:PassedToService"] == f"{service}.amazonaws.com"


def test_tags_of_a_request_and_of_a_resource_are_known() -> None:
    resources = KnownResources(of={sagemaker("endpoint/e"): {"team": "dogs"}})
    requests = needed("sagemaker", "create_endpoint", resources, EndpointName="e", EndpointConfigName="c", Tags=TAGS)
    assert requests[0].context == {"aws:TagKeys": ["a"], "aws:RequestTag/a": "b", "aws:ResourceTag/team": "dogs"}


def test_a_listing_says_its_prefix() -> None:
    (request,) = needed("s3", "list_objects_v2", Bucket="b", Prefix="a/b")
    assert (request.action, request.context) == ("s3:ListBucket", {"s3:prefix": "a/b"})


def test_a_mapping_is_known_by_its_function() -> None:
    (request,) = needed("lambda", "delete_event_source_mapping", UUID=UUID)
    assert request.context == {"lambda:FunctionArn": [FUNCTION]}


def test_an_operation_that_no_table_knows_is_itself_on_everything() -> None:
    assert pairs(needed("events", "list_archives")) == {"events:ListArchives *"}


@pytest.mark.parametrize(
    ("service", "path", "headers", "body"),
    [
        ("lambda", "/2015-03-31/functions/f?Action=ListFunctions", {}, b""),
        ("lambda", "/2015-03-31/functions/f", {"X-Amz-Target": "x.ListFunctions"}, b""),
        ("iam", "/?Action=ListRoles", {}, b"Action=DeleteRole&RoleName=r"),
        ("events", "/?Action=DeleteRule", {"X-Amz-Target": "AWSEvents.ListRules"}, b"{}"),
    ],
)
def test_what_could_be_two_operations_is_refused(service: str, path: str, headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="twice"):
        read_call(exchange(service, "POST", f"http://127.0.0.1{path}", headers, body))


@pytest.mark.parametrize(
    ("service", "method", "url", "body"),
    [
        ("iam", "POST", "/", b"Action=DeleteRole&Action=ListRoles"),
        ("iam", "POST", "/", b"Action=DeleteRole&RoleName=secret&RoleName=allowed"),
        ("iam", "POST", "/?RoleName=secret", b"Action=DeleteRole&RoleName=allowed"),
        ("lambda", "GET", "/2015-03-31/functions/f?Qualifier=secret&Qualifier=allowed", b""),
    ],
)
def test_a_parameter_with_two_values_is_refused(service: str, method: str, url: str, body: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="several values"):
        read_call(exchange(service, method, f"http://127.0.0.1{url}", {}, body))


def test_a_list_in_a_query_has_all_of_its_values() -> None:
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"
    assert sent("lambda", "untag_resource", Resource=arn, TagKeys=["a", "b"]).members["TagKeys"] == ["a", "b"]


@pytest.mark.parametrize("service", sorted(TABLES))
def test_tables_name_operations_and_members_that_there_are(service: str) -> None:
    table = TABLES[service]
    for operation, needs_ in table.needs.items():
        assert operation in model(table.model).operation_names
        shape = input_shape(table.model, operation)
        members = {*(shape.members if shape is not None else ()), *DERIVED.get(service, ())}
        for need in needs_:
            roots = [steps[0] for steps in map(path, re.findall(r"\{([\w.\[\]]+)", need.resource))]
            roots += [path(place)[0] for place in (*need.keys.values(), *filter(None, [need.only_with]))]
            assert not set(roots) - members, operation


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.data())
def test_every_request_can_be_decided(data: st.DataObject) -> None:
    service = data.draw(st.sampled_from(sorted(TABLES)))
    table = TABLES[service]
    operation = data.draw(st.sampled_from(sorted(table.needs)) if table.needs else st.just("Any"))
    shape = input_shape(table.model, operation)
    names = sorted(shape.members) if shape is not None else []
    members = data.draw(st.dictionaries(st.sampled_from(names), JSON, max_size=6)) if names else {}
    for request in needs.requests(table, Call(service, operation, members, REGION), KnownResources()):
        assert request.keys is not None
        assert request.resource


@dataclass
class StubSts:
    """STS, which has given out one key."""

    until: dt.datetime

    def get_assumed_role_from_access_key(self, key: str) -> Any:
        taken = {"arn": "arn", "user_id": "id", "role_arn": role("ann"), "policy": "", "session_token": "token"}
        return SimpleNamespace(**taken, secret_access_key="secret", expiration=self.until) if key == "ASIA" else None


class StubIam:
    """IAM without users."""

    roles: ClassVar[dict[str, Any]] = {}
    managed_policies: ClassVar[dict[str, Any]] = {}

    def get_user_from_access_key_id(self, key: str) -> None:
        """No user has the key."""


def callers(until: int) -> Callers:
    backends = {"sts": StubSts(dt.datetime.fromtimestamp(until, dt.timezone.utc)), "iam": StubIam()}
    return Callers(lambda service, _region: nullcontext(backends[service]), ACCOUNT, lambda: 1000.0)


def test_a_session_is_known_until_it_is_over() -> None:
    assert callers(2000).caller_of("ASIA", "token").arn == "arn"
    with pytest.raises(UnknownKeyError, match="is expired"):
        callers(999).caller_of("ASIA", "token")


@pytest.mark.parametrize(("key", "token"), [("ASIA", ""), ("ASIA", "another"), ("AKIA", "")])
def test_a_key_is_nothing_without_its_token(key: str, token: str) -> None:
    with pytest.raises(UnknownKeyError, match="is invalid"):
        callers(2000).caller_of(key, token)


def test_a_name_that_looks_like_an_arn_is_one_only_where_it_says_all() -> None:
    allowed = arn("logs", "log-group:allowed:log-stream:s")
    members = {"logGroupName": "secret", "logStreamName": allowed}
    (request,) = needs.requests(TABLES["logs"], Call("logs", "GetLogEvents", members, REGION), KnownResources())
    assert request.resource == arn("logs", f"log-group:secret:log-stream:{allowed}")
