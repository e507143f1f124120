"""The roles have what a definition asks for: every address, image, key, function and queue in its requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings

from pedigree.aws.regions import dns_suffix, partition
from pedigree.iam import Request, decide, parse
from pedigree.language.definition import Step, read
from pipeline.account.roles import documents
from pipeline.document import document
from pipeline.settings.tree import Settings
from tests.policies.arns import EVERYTHING, IN_ACCOUNT
from tests.policies.role_settings import SETTINGS
from tests.support.definitions import CODE, configure
from tests.support.strategies import Values, valid_settings

READ = ("S3Input", "S3DataSource")
WRITTEN = {
    "CheckpointConfig": "S3Uri",
    "DebugHookConfig": "S3OutputPath",
    "OutputDataConfig": "S3OutputPath",
    "ProfilerConfig": "S3OutputPath",
    "S3Output": "S3Uri",
}
NAMED = {"Processing": "processing-job", "Training": "training-job", "Tuning": "hyper-parameter-tuning-job"}


class NeededRequests:
    """What one definition asks of each role."""

    def __init__(self, chosen: Settings) -> None:
        self.chosen, self.site = chosen, chosen.site
        self.definition = read(document(chosen, CODE))
        self.partition = partition(self.site.region)

    def of_each(self) -> Iterator[tuple[str, Request]]:
        for step in self.definition.all_steps():
            yield from self._made(step)
            for name, value in members(dict(step.own_arguments)):
                yield from self._data(name, value)
                yield from self._others(name, value)

    def _made(self, step: Step) -> Iterator[tuple[str, Request]]:
        if step.type in NAMED:
            name = f"abcdefghijkl-{step.name}-0123456789"
            prefix = "" if step.type == "Tuning" else "pipelines-"
            resource = self.site.arn("sagemaker", f"{NAMED[step.type]}/{prefix}{name}")
            operation = {"Tuning": "HyperParameterTuning"}.get(step.type, step.type)
            network = self.site.network
            context: dict[str, Any] = {
                "sagemaker:VpcSubnets": network.subnets,
                "sagemaker:NetworkIsolation": network.isolation,
            }
            yield "pipeline", Request(f"sagemaker:Create{operation}Job", resource, context)
            yield "pipeline", Request(f"sagemaker:Stop{operation}Job", resource)

    def _data(self, name: str, value: Any) -> Iterator[tuple[str, Request]]:
        if name in READ and text(value["S3Uri"]).startswith("s3://"):
            bucket, _, key = text(value["S3Uri"]).removeprefix("s3://").partition("/")
            where = f"arn:{self.partition}:s3:::{bucket}"
            yield "job", Request("s3:GetObject", f"{where}/{key}")
            yield "job", Request("s3:ListBucket", where, {"s3:prefix": key})
        if name in WRITTEN and WRITTEN[name] in value:
            yield "job", Request("s3:PutObject", f"{self._s3(value[WRITTEN[name]])}/output.tar.gz")
        if name == "capture_uri" and self.chosen.endpoint.capture_percent:
            yield "model", Request("s3:PutObject", f"{self._s3(value)}/endpoint/AllTraffic/a.jsonl")

    def _others(self, name: str, value: Any) -> Iterator[tuple[str, Request]]:
        passed = {"iam:PassedToService": "sagemaker.amazonaws.com"}
        through_s3 = {"kms:ViaService": f"s3.{self.site.region}.{dns_suffix(self.site.region)}"}
        if name in ("ImageUri", "TrainingImage", "RuleEvaluatorImage", "Image"):
            yield "model" if name == "Image" else "job", Request("ecr:BatchGetImage", self._repository(value))
        if name == "RoleArn":
            yield "pipeline", Request("iam:PassRole", value, passed)
        if name == "model_role_arn":
            yield "deploy", Request("iam:PassRole", value, passed)
        if name == "KmsKeyId" and ":key/" in value:
            yield "job", Request("kms:GenerateDataKey", value, through_s3)
            yield "model", Request("kms:Decrypt", value, through_s3)
        if name == "VolumeKmsKeyId":
            yield "job", Request("kms:CreateGrant", value, {"kms:GrantIsForAWSResource": True})
        if name == "volume_key" and value:
            yield "deploy", Request("kms:CreateGrant", value, {"kms:GrantIsForAWSResource": True})
        if name == "FunctionArn":
            yield "pipeline", Request("lambda:InvokeFunction", value)
        if name == "SqsQueueUrl":
            yield "pipeline", Request("sqs:SendMessage", self.site.arn("sqs", value.rpartition("/")[2]))
        if name == "ModelPackageGroupName":
            version = self.site.arn("sagemaker", f"model-package/{value}/1")
            yield "pipeline", Request("sagemaker:CreateModelPackage", version)
            yield "deploy", Request("sagemaker:DescribeModelPackage", version)

    def _s3(self, uri: Any) -> str:
        return f"arn:{self.partition}:s3:::{text(uri).removeprefix('s3://')}"

    def _repository(self, image: str) -> str:
        registry, _, name = image.partition("/")
        account, _, _, region = registry.split(".")[:4]
        return f"arn:{self.partition}:ecr:{region}:{account}:repository/{name.partition(':')[0]}"


def members(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in a JSON value, with the name under which it stands."""
    yield name, value
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from members(member, key)
    if isinstance(value, list):
        for member in value:
            yield from members(member)


def text(value: Any) -> str:
    """A text as an execution would have it; what other steps make stays open."""
    if isinstance(value, Mapping) and "Std:Join" in value:
        return str(value["Std:Join"]["On"]).join(text(part) for part in value["Std:Join"]["Values"])
    return "made-by-another-step" if isinstance(value, Mapping) else str(value)


def assert_fit(chosen: Settings) -> None:
    policies = {name: parse(found.policy, name=name) for name, found in documents(chosen).items()}
    requests = list(NeededRequests(chosen).of_each())
    assert {role for role, _ in requests} >= {"pipeline", "job", "model", "deploy"}
    refused = [(role, request) for role, request in requests if not decide([policies[role]], request).allowed]
    assert not refused, refused[0]


@pytest.mark.parametrize("name", SETTINGS)
def test_the_roles_fit(name: str) -> None:
    assert_fit(configure(SETTINGS[name]))


@given(valid_settings())
@settings(max_examples=15)
def test_the_roles_fit_any_settings(values: Values) -> None:
    assert_fit(configure(values))


def test_what_settings_do_not_ask_for_is_missed() -> None:
    requests = list(NeededRequests(configure(EVERYTHING)).of_each())
    policy = parse(documents(configure(IN_ACCOUNT))["job"].policy)
    refused = {request.action for role, request in requests if role == "job" and not decide([policy], request).allowed}
    assert refused == {"kms:CreateGrant", "kms:GenerateDataKey", "s3:GetObject", "s3:ListBucket", "s3:PutObject"}
