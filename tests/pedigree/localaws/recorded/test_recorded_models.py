"""What AWS said about models and model packages, word by word. E1 to E19 are the rows of that record.

A comment names where the words were published. They are AWS's words, so they stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pedigree.localaws.daemon import ACCOUNT, LocalAws
from tests.support.endpoints import model_archive
from tests.support.local_aws import REGION, arn, client, running_local_aws
from tests.support.users import allowing, document, refused

TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
IMAGE = "341280168497.dkr.ecr.ca-central-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
UNREADABLE = (
    'Could not access model data at {address}. Please ensure that the role "{role}" exists and that its trust '
    'relationship policy allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com". Also '
    'ensure that the role has "s3:GetObject" permissions and that the object is located in us-east-1. If your Model '
    'uses multiple models or uncompressed models, please ensure that the role has "s3:ListBucket" permission.'
)
INVALID_ROLE = (
    'The execution role ARN "{role}" is invalid. Please ensure that the role exists and that its trust relationship '
    'policy allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com".'
)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with running_local_aws(tmp_path_factory.mktemp("local"), enforces_iam=True) as local:
        objects = client(local.url, "s3")
        objects.create_bucket(Bucket="bucket")
        objects.put_object(Bucket="bucket", Key="model.tar.gz", Body=model_archive("v1"))
        made_role(local, "reader", TRUST, allowing("s3:GetObject", "s3:ListBucket"))
        yield local


def made_role(local: LocalAws, name: str, trust: dict[str, Any], *statements: Any) -> str:
    iam = client(local.url, "iam")
    created = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
    return str(created["Role"]["Arn"])


def role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def create_model(local: LocalAws, execution_role: str = role("reader"), name: str = "m", **container: Any) -> Any:
    wanted = {"Image": "image", **container}
    return client(local.url, "sagemaker").create_model(
        ModelName=name, PrimaryContainer=wanted, ExecutionRoleArn=execution_role
    )


def words(local: LocalAws, operation: str, **request: Any) -> str:
    return refused(lambda: getattr(client(local.url, "sagemaker"), operation)(**request), "ValidationException", 400)


# aws-controllers-k8s/sagemaker-controller and terraform-provider-aws look for these words
@pytest.mark.parametrize(
    ("operation", "member", "label", "kind"),
    [
        ("describe_model", "ModelName", "model", "model"),
        ("delete_model", "ModelName", "model", "model"),
        ("describe_endpoint", "EndpointName", "endpoint", "endpoint"),
        ("delete_endpoint", "EndpointName", "endpoint", "endpoint"),
        ("describe_endpoint_config", "EndpointConfigName", "endpoint configuration", "endpoint-config"),
        ("delete_endpoint_config", "EndpointConfigName", "endpoint configuration", "endpoint-config"),
    ],
)
def test_e1_what_is_missing_is_named_by_its_arn(
    local: LocalAws, operation: str, member: str, label: str, kind: str
) -> None:
    expected = f'Could not find {label} "{arn("sagemaker", f"{kind}/none")}".'
    assert words(local, operation, **{member: "none"}) == expected


# a comment in a public project
def test_e2_a_model_cannot_be_created_twice(local: LocalAws) -> None:
    create_model(local, name="twice")
    taken = refused(lambda: create_model(local, name="twice"), "ValidationException", 400)
    assert taken == f'Cannot create already existing model "{arn("sagemaker", "model/twice")}".'


# two reports, one of 2026
@pytest.mark.parametrize("container", ["archive", "prefix", "package"])
def test_e5_a_model_needs_data_that_its_role_can_read(local: LocalAws, container: str) -> None:
    blind = role(f"blind-{container}")
    made_role(local, f"blind-{container}", TRUST, allowing("s3:ListAllMyBuckets"))
    untrusting = made_role(local, f"untrusting-{container}", LAMBDA, allowing("s3:*"))
    there, absent = (
        ("s3://bucket/model", "s3://bucket/none")
        if container == "prefix"
        else (
            "s3://bucket/model.tar.gz",
            "s3://bucket/none.tar.gz",
        )
    )
    for execution_role, address in [
        (role("reader"), absent),
        (role("reader"), "s3://no-bucket/model.tar.gz"),
        (blind, there),
        (untrusting, there),
        (role("nobody"), there),
    ]:
        wanted = contained(local, container, address)
        message = refused(lambda: with_container(local, wanted, execution_role), "ValidationException", 400)  # noqa: B023
        assert message == UNREADABLE.format(address=address, role=execution_role)
    with_container(local, contained(local, container, there), role("reader"), f"read-{container}")


def contained(local: LocalAws, kind: str, address: str) -> dict[str, Any]:
    """A container whose model is an archive, the objects under a prefix, or that of a package."""
    if kind == "archive":
        return {"Image": "image", "ModelDataUrl": address}
    if kind == "package":
        specification = {"Containers": [{"Image": IMAGE, "ModelDataUrl": address}], **SUPPORTED}
        return {"ModelPackageName": registered(local, InferenceSpecification=specification)}
    source = {"S3Uri": address, "S3DataType": "S3Prefix", "CompressionType": "None"}
    return {"Image": "image", "ModelDataSource": {"S3DataSource": source}}


def with_container(local: LocalAws, container: dict[str, Any], execution_role: str, name: str = "m5") -> None:
    client(local.url, "sagemaker").create_model(
        ModelName=name, PrimaryContainer=container, ExecutionRoleArn=execution_role
    )


# hashicorp/terraform-provider-aws, internal/service/sagemaker/endpoint.go, and a report
def test_e6_a_model_needs_a_role_that_sagemaker_can_assume(local: LocalAws) -> None:
    untrusting = made_role(local, "of-lambda", LAMBDA)
    for execution_role in (untrusting, role("nobody")):
        message = refused(lambda: create_model(local, execution_role), "ValidationException", 400)  # noqa: B023
        assert message == INVALID_ROLE.format(role=execution_role)


# a report
@pytest.mark.parametrize(
    "container",
    [
        {"Image": "image", "ModelPackageName": "package"},
        {"ModelDataUrl": "s3://bucket/model.tar.gz", "ModelPackageName": "package"},
        {"Environment": {"A": "b"}},
    ],
)
def test_e7_a_container_has_an_image_or_a_package(local: LocalAws, container: dict[str, Any]) -> None:
    message = refused(lambda: with_container(local, container, role("reader")), "ValidationException", 400)
    assert message == ("Specify one of either Image and Model Data URL or ModelPackageName in container definition.")


# two reports
def test_e9_names_and_roles_have_patterns(local: LocalAws) -> None:
    name = refused(lambda: create_model(local, name="my_model"), "ValidationException", 400)
    pattern = r"[a-zA-Z0-9]([\-a-zA-Z0-9]*[a-zA-Z0-9])?"
    assert name == (
        "1 validation error detected: Value 'my_model' at 'modelName' failed to satisfy constraint: Member must "
        f"satisfy regular expression pattern: {pattern}"
    )
    text = refused(lambda: create_model(local, "just-the-name-of-a-role"), "ValidationException", 400)
    assert text.endswith(r"regular expression pattern: arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+")


# aws-controllers-k8s/sagemaker-controller, generator.yaml
def test_e11_a_missing_package_or_group_does_not_exist(local: LocalAws) -> None:
    package = words(local, "describe_model_package", ModelPackageName="none")
    group = words(local, "describe_model_package_group", ModelPackageGroupName="none")
    assert (package.endswith(" does not exist."), group.endswith(" does not exist.")) == (True, True)


# hashicorp/terraform-provider-aws, internal/service/sagemaker/find.go
def test_e12_a_policy_is_missing_or_its_group_is(local: LocalAws) -> None:
    client(local.url, "sagemaker").create_model_package_group(ModelPackageGroupName="bare")
    for operation in ("get_model_package_group_policy", "delete_model_package_group_policy"):
        group = words(local, operation, ModelPackageGroupName="none")
        policy = words(local, operation, ModelPackageGroupName="bare")
        assert group.startswith("Cannot find Model Package Group")
        assert policy.startswith("Cannot find resource policy")


SUPPORTED = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}


def registered(local: LocalAws, group: str = "packages", **request: Any) -> str:
    sagemaker = client(local.url, "sagemaker")
    names = [
        each["ModelPackageGroupName"] for each in sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    ]
    if group not in names:
        sagemaker.create_model_package_group(ModelPackageGroupName=group)
    return str(sagemaker.create_model_package(ModelPackageGroupName=group, **request)["ModelPackageArn"])


# aws-samples/amazon-sagemaker-pipelines-serial-batch-inference-sklearn-pytorch, both notebooks, cell 37
def test_e19_a_version_is_described_as_aws_described_one(local: LocalAws) -> None:
    containers = [{"Image": IMAGE, "ModelDataUrl": "s3://bucket/one"}, {"Image": IMAGE, "Environment": {"A": "b"}}]
    statistics = {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://bucket/evaluation.json"}}
    package = registered(
        local,
        "PipelineSKLearnModelPackageGroup",
        InferenceSpecification={"Containers": containers, **SUPPORTED},
        ModelMetrics={"ModelQuality": statistics},
        ModelApprovalStatus="Approved",
        MetadataProperties={"GeneratedBy": "arn:of-an-execution"},
    )
    answer = client(local.url, "sagemaker").describe_model_package(ModelPackageName=package)
    digests = {container.pop("ImageDigest") for container in answer["InferenceSpecification"]["Containers"]}
    answer.pop("ResponseMetadata"), answer.pop("CreationTime"), answer.pop("CreatedBy", None)
    assert [len(digest) for digest in digests] == [len("sha256:") + 64]
    assert answer == {
        "ModelPackageGroupName": "PipelineSKLearnModelPackageGroup",
        "ModelPackageVersion": 1,
        "ModelPackageArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/PipelineSKLearnModelPackageGroup/1",
        "InferenceSpecification": {"Containers": containers, **SUPPORTED},
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CertifyForMarketplace": False,
        "ModelApprovalStatus": "Approved",
        "MetadataProperties": {"GeneratedBy": "arn:of-an-execution"},
        "ModelMetrics": {"ModelQuality": statistics, "Bias": {}, "Explainability": {}},
    }


def test_e19_the_digest_in_an_images_address_is_its_own(local: LocalAws) -> None:
    digest = f"sha256:{'a' * 64}"
    specification = {"Containers": [{"Image": f"repository@{digest}"}], **SUPPORTED}
    package = registered(local, InferenceSpecification=specification)
    answer = client(local.url, "sagemaker").describe_model_package(ModelPackageName=package)
    assert answer["InferenceSpecification"]["Containers"][0]["ImageDigest"] == digest
