"""Each of AWS's services that is not here is refused by its name, in its own protocol, to boto3's own clients."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel

from pedigree.localaws.daemon import ACCOUNT, LocalAws
from pedigree.localaws.http.protocol.absent_services import REST_XML_SCOPES, SHARED_SCOPES, absent_service
from pedigree.localaws.http.protocol.models import MODELS
from tests.support.local_aws import client, running_local_aws
from tests.support.smallest_requests import smallest_request

OWN_SCOPES = {*MODELS, "s3"} - {"sagemaker-runtime"}


@cache
def metadata() -> dict[str, dict[str, Any]]:
    loader = Loader()
    names = loader.list_available_services("service-2")
    return {name: loader.load_service_model(name, "service-2")["metadata"] for name in names}


def scope(name: str) -> str:
    members = metadata()[name]
    return str(members.get("signingName") or members["endpointPrefix"])


def test_the_tables_agree_with_botocore() -> None:
    own = {*MODELS.values(), "s3"}
    shared: dict[str, set[str]] = defaultdict(set)
    for name in metadata():
        if scope(name) in OWN_SCOPES and name not in own:
            shared[scope(name)].add(name)
    assert {name: set(names) for name, names in SHARED_SCOPES.items()} == shared
    xml = {scope(name) for name, members in metadata().items() if members["protocol"] == "rest-xml"}
    assert {*REST_XML_SCOPES, "s3"} == xml


NAMES = (
    *("sns", "cloudformation", "rds", "elb", "ses", "autoscaling", "redshift"),  # query
    *("dynamodb", "kinesis", "ecs", "ecr", "secretsmanager", "kms", "athena", "glue", "stepfunctions", "firehose"),
    *("apigateway", "bedrock-runtime", "batch", "eks", "efs", "iot", "sesv2", "opensearch", "xray", "backup"),
    *("sagemaker-metrics", "sagemaker-featurestore-runtime", "sagemaker-edge", "sagemaker-a2i-runtime"),
    *("route53", "cloudfront", "lambda-core", "iam-toolbox", "eventbridgev2", "servicecatalog"),
    *("cloudhsmv2", "timestream-query", "elasticache", "neptune", "codebuild", "organizations"),
)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local")) as local:
        yield local


@pytest.mark.parametrize("name", NAMES)
def test_a_service_that_is_not_here_is_refused_by_its_name(local: LocalAws, name: str) -> None:
    config = Config(retries={"total_max_attempts": 1}, inject_host_prefix=False)
    caller = client(local.url, name, config=config)
    model = ServiceModel(Loader().load_service_model(name, "service-2"), name)
    operations = map(model.operation_model, sorted(model.operation_names)[:40])
    signed = [operation for operation in operations if _is_signed(operation)]
    for operation in signed[:3]:
        call = getattr(caller, _method(caller, operation.name))
        with pytest.raises(ClientError, match=r"The local AWS has no service (\S+)") as raised:
            call(**smallest_request(operation.input_shape))
        message = raised.value.response["Error"]["Message"]
        assert message.rpartition(" ")[2] in (name, scope(name)), message
        assert raised.value.response["Error"]["Code"] == "UnknownService"
        if scope(name) in OWN_SCOPES:
            assert message.endswith(f" {name}")
    assert signed


def test_s3_s_control_plane_is_told_by_its_header() -> None:
    """A client of it needs a host name for each account, so that it cannot reach a local AWS by itself."""
    path, headers = "/v20180820/accessgrantsinstance", {"x-amz-account-id": ACCOUNT}
    assert absent_service("s3", "GET", path, {}, headers) == "s3control"
    assert absent_service("s3", "GET", path, {}, {}) == ""


def _is_signed(operation: Any) -> bool:
    return operation.auth_type not in ("none", "bearer") and not operation.has_event_stream_input


def _method(caller: Any, operation: str) -> str:
    return next(str(method) for method, name in caller.meta.method_to_api_mapping.items() if name == operation)


def test_a_request_without_keys_is_refused_in_its_protocol(local: LocalAws) -> None:
    unsigned = Config(signature_version=UNSIGNED)
    anonymous = boto3.client("sns", region_name="us-east-1", endpoint_url=local.url, config=unsigned)
    with pytest.raises(ClientError) as raised:
        anonymous.list_topics()
    assert raised.value.response["Error"]["Code"].startswith("MissingAuthenticationToken")
