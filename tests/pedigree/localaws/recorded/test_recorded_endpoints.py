"""What AWS said about endpoints and their invocations, word by word. E2 to E18 are the rows of that record.

A comment names where the words were published. They are AWS's words, so they stay as they are.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pedigree.localaws.daemon import ACCOUNT, LocalAws
from pedigree.localaws.services.sagemaker.endpoints.generation import Generation, Variant
from pedigree.localaws.services.sagemaker.endpoints.instances import InstanceSpec
from pedigree.localaws.services.sagemaker.endpoints.model_errors import model_error
from pedigree.localaws.services.sagemaker.endpoints.server_process import ServerSpec
from tests.support.endpoints import create_configuration, create_endpoint, describe_endpoint, invoke_endpoint
from tests.support.local_aws import arn, client, running_local_aws
from tests.support.users import document, made_user, refused, user_client
from tests.support.waiting import until

CONSOLE = (
    "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logEventViewer:group="
    f"/aws/sagemaker/Endpoints/dogs in account {ACCOUNT} for more information."
)
TOO_SLOW = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    "each container in Amazon CloudWatch, resolve the issue, and try again."
)
VARIANT = {"VariantName": "all", "ModelName": "v1", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path) as local:
        client(local.url, "s3").create_bucket(Bucket="bucket")
        yield local


def words(local: LocalAws, operation: str, **request: Any) -> str:
    return refused(lambda: getattr(client(local.url, "sagemaker"), operation)(**request), "ValidationException", 400)


# ministryofjustice/modernisation-platform-environments#9383, awslabs/spot-tagging-bot#2, three public scripts
def test_e2_e3_and_e4_an_endpoint_is_one_and_changes_once_at_a_time(local: LocalAws) -> None:
    create_configuration(local.url, "v1")
    sagemaker = client(local.url, "sagemaker")
    named = {"EndpointName": "dogs", "EndpointConfigName": "v1"}
    sagemaker.create_endpoint(**named)
    endpoint, configuration = arn("sagemaker", "endpoint/dogs"), arn("sagemaker", "endpoint-config/v1")
    capacities = [{"VariantName": "all", "DesiredInstanceCount": 1}]
    in_progress = [
        words(local, "update_endpoint", **named),
        words(local, "delete_endpoint", EndpointName="dogs"),
        words(
            local,
            "update_endpoint_weights_and_capacities",
            EndpointName="dogs",
            DesiredWeightsAndCapacities=capacities,
        ),
    ]
    assert in_progress == [f'Cannot update in-progress endpoint "{endpoint}".'] * 3
    assert words(local, "create_endpoint", **named) == f'Cannot create already existing endpoint "{endpoint}".'
    taken = words(local, "create_endpoint_config", EndpointConfigName="v1", ProductionVariants=[VARIANT])
    assert taken == f'Cannot create already existing endpoint configuration "{configuration}".'
    until(lambda: describe_endpoint(local.url)["EndpointStatus"], "InService")
    for operation, name in [("create_endpoint", "cats"), ("update_endpoint", "dogs")]:
        missing = words(local, operation, EndpointName=name, EndpointConfigName="none")
        assert missing == f'Could not find endpoint configuration "{arn("sagemaker", "endpoint-config/none")}".'


# hashicorp/terraform-provider-aws, internal/service/sagemaker/endpoint.go
def test_e6_an_endpoint_needs_roles_that_sagemaker_can_assume(tmp_path: Path) -> None:
    with running_local_aws(tmp_path, enforces_iam=True) as local:
        trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        iam, sagemaker = client(local.url, "iam"), client(local.url, "sagemaker")
        role = iam.create_role(RoleName="model", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
        sagemaker.create_model(ModelName="v1", PrimaryContainer={"Image": "image"}, ExecutionRoleArn=role)
        sagemaker.create_endpoint_config(EndpointConfigName="v1", ProductionVariants=[VARIANT])
        iam.delete_role(RoleName="model")
        assert words(local, "create_endpoint", EndpointName="dogs", EndpointConfigName="v1") == (
            f'The execution role ARN "{role}" is invalid. Please ensure that the role exists and that its trust '
            'relationship policy allows the action "sts:AssumeRole" for the service principal '
            '"sagemaker.amazonaws.com".'
        )


# two reports, and the developer guide; the reason is the local AWS's own
def test_e10_an_endpoint_fails_in_aws_words_and_says_why(local: LocalAws) -> None:
    create_configuration(local.url, "v1", "broken")
    client(local.url, "sagemaker").create_endpoint(EndpointName="dogs", EndpointConfigName="v1")
    until(lambda: describe_endpoint(local.url)["EndpointStatus"], "Failed")
    said, _, reason = describe_endpoint(local.url)["FailureReason"].partition(" [local AWS] ")
    assert said == (
        "The primary container for production variant all did not pass the ping health check. Please check CloudWatch "
        "logs for this endpoint."
    )
    assert reason == "RuntimeError: no weights here"


# aws/amazon-sagemaker-examples#293 and #559
def test_e13_an_endpoint_that_is_not_there_is_not_found(local: LocalAws) -> None:
    invoked = refused(lambda: invoke_endpoint(local.url), "ValidationError", 400)
    assert invoked == f"Endpoint dogs of account {ACCOUNT} not found."


# gmguarino, rain-au-notebook-dev.ipynb, cell 35, and two reports
def test_e14_an_error_of_the_model_leads_to_its_logs(local: LocalAws) -> None:
    create_endpoint(local.url)
    runtime = client(local.url, "sagemaker-runtime")
    for body, content_type, kind, status, answer in [
        (b"{}", "text/plain", "client", 415, "send JSON"),
        (b'"boom"', "application/json", "server", 500, "boom"),
    ]:
        with pytest.raises(ClientError) as raised:
            runtime.invoke_endpoint(EndpointName="dogs", Body=body, ContentType=content_type)
        said = raised.value.response
        assert (said["Error"]["Code"], said["ResponseMetadata"]["HTTPStatusCode"]) == ("ModelError", 424)
        assert said["Error"]["Message"] == (
            f'Received {kind} error ({status}) from primary with message "{answer}". See {CONSOLE}'
        )
        assert (said["OriginalStatusCode"], said["OriginalMessage"]) == (status, answer)


# the same notebook
def test_e15_a_model_that_is_too_slow_has_the_status_0(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "inference.py").write_text(
        "import time\ndef model_fn(folder): pass\ndef transform_fn(model, body, kind, accept): time.sleep(60)\n"
    )
    server = ServerSpec(sys.executable, tmp_path, {}, lambda _line: None, answer_seconds=0.5)
    generation = Generation("v1", (Variant("all", InstanceSpec((server,)), 1),))
    generation.start()
    try:
        _, reply = generation.invoke(b"", {})
    finally:
        generation.end(0)
    response = model_error("dogs", "us-east-1", ACCOUNT, reply)
    said = json.loads(response.get_data())
    assert said["Message"] == f'Received server error (0) from primary with message "{TOO_SLOW}". See {CONSOLE}'
    assert (response.status_code, said["OriginalStatusCode"]) == (424, 0)


# two reports
def test_e16_a_user_without_permission_is_told_which(tmp_path: Path) -> None:
    with running_local_aws(tmp_path, enforces_iam=True) as local:
        runtime = user_client(local, "sagemaker-runtime", made_user(local, "ann"))
        invoke = refused(lambda: runtime.invoke_endpoint(EndpointName="dogs", Body=b""), "AccessDeniedException", 403)
    assert invoke == (
        f"User: arn:aws:iam::{ACCOUNT}:user/ann is not authorized to perform: sagemaker:InvokeEndpoint on resource: "
        f"{arn('sagemaker', 'endpoint/dogs')} because no identity-based policy allows the "
        "sagemaker:InvokeEndpoint action"
    )


# DIAGNijmegen/rse-grand-challenge#4659
def test_e18_sagemaker_scales_no_variant_that_has_a_model(local: LocalAws) -> None:
    client(local.url, "sagemaker").create_model(ModelName="v1", PrimaryContainer={"Image": "image"})
    variant = {**VARIANT, "ManagedInstanceScaling": {"Status": "ENABLED", "MinInstanceCount": 1, "MaxInstanceCount": 2}}
    said = words(local, "create_endpoint_config", EndpointConfigName="v1", ProductionVariants=[variant])
    assert said == "ManagedInstanceScaling is not supported with the given EndpointConfig setup."


# aws/amazon-sagemaker-examples, archived/time_series_deepar/time_series_deepar.ipynb, cell 21
def test_an_endpoint_is_described_as_aws_described_one(local: LocalAws) -> None:
    create_endpoint(local.url)
    answer = describe_endpoint(local.url)
    (deployed,) = answer["ProductionVariants"][0].pop("DeployedImages")
    answer.pop("ResponseMetadata")
    assert answer.pop("CreationTime") <= deployed.pop("ResolutionTime") <= answer.pop("LastModifiedTime")
    digest = deployed["ResolvedImage"].removeprefix("image@sha256:")
    assert (deployed["SpecifiedImage"], len(digest)) == ("image", 64)
    assert answer == {
        "EndpointName": "dogs",
        "EndpointArn": arn("sagemaker", "endpoint/dogs"),
        "EndpointConfigName": "v1",
        "ProductionVariants": [
            {
                "VariantName": "all",
                "CurrentWeight": 1.0,
                "DesiredWeight": 1.0,
                "CurrentInstanceCount": 1,
                "DesiredInstanceCount": 1,
            }
        ],
        "EndpointStatus": "InService",
    }
