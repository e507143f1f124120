"""AWS in this process: moto, patched where it lacks an operation or answers differently from AWS.

The patches of the local AWS apply here, too. Each function below replaces one more of moto's, for which the local AWS
has an operation of its own; its docstring says what AWS does. The pinned version of moto and the tests that use this
module keep the patches correct.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import moto
from moto.awslambda import urls as lambda_urls
from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.responses import LambdaResponse
from moto.core.resource_tagging import TaggedResource
from moto.core.responses import ActionResult
from moto.iam.access_control import IAMPolicy
from moto.s3.models import FakeBucket, s3_backends
from moto.s3.responses import S3Response
from moto.sagemaker import models as sagemaker_models
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from pedigree.localaws.moto.patches import apply_patches

ACCOUNT = "123456789012"
REGION = "us-east-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
_PROVISIONED = r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w_:%-]+)/provisioned-concurrency/?$"


class NoProvisionedError(LambdaClientError):
    """Lambda's error when no concurrency is provisioned."""

    code = 404

    def __init__(self) -> None:
        message = "No Provisioned Concurrency Config found for this function"
        super().__init__("ProvisionedConcurrencyConfigNotFoundException", message)


@contextmanager
def aws() -> Iterator[None]:
    """An empty account, for calls of this process and for servers that run in it."""
    apply_patches()
    with ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, CREDENTIALS))
        os.environ.pop("AWS_PROFILE", None)
        for owner, name, mended in _MENDED:
            stack.enter_context(patch.object(owner, name, mended(getattr(owner, name, None)), create=True))
        stack.enter_context(patch.dict(lambda_urls.url_paths, {_PROVISIONED: LambdaResponse.dispatch}))
        stack.enter_context(moto.mock_aws())
        yield


def _alias(response: LambdaResponse) -> Any:
    name, qualifier = unquote(response.path.split("/")[3]), response.querystring["Qualifier"][0]
    return response.backend.get_alias(qualifier, name)


def get_provisioned(_original: Any) -> Callable[..., Any]:
    """A configuration belongs to an alias, and not having one has an error of its own."""

    def get_provisioned_concurrency_config(self: LambdaResponse) -> Any:
        found = getattr(_alias(self), "provisioned", None)
        if found is None:
            raise NoProvisionedError
        return 200, {}, json.dumps(found)

    return get_provisioned_concurrency_config


def put_provisioned(_original: Any) -> Callable[..., Any]:
    """AWS provisions after a while; here at once."""

    def put_provisioned_concurrency_config(self: LambdaResponse) -> Any:
        count = self.json_body["ProvisionedConcurrentExecutions"]
        state = {"RequestedProvisionedConcurrentExecutions": count, "Status": "READY"}
        alias = _alias(self)
        alias.provisioned = state
        return 202, {"status": 202}, json.dumps(state)

    return put_provisioned_concurrency_config


def delete_provisioned(_original: Any) -> Callable[..., Any]:
    """Remove it from an alias."""

    def delete_provisioned_concurrency_config(self: LambdaResponse) -> Any:
        alias = _alias(self)
        alias.provisioned = None
        return 204, {"status": 204}, ""

    return delete_provisioned_concurrency_config


def tagged_models(original: Any) -> Callable[..., Any]:
    """An ARN is a string, not a tuple."""

    def iter_tagged_resources(self: SageMakerModelBackend) -> Iterator[TaggedResource]:
        for resource in original(self):
            arn = resource.arn[0] if isinstance(resource.arn, tuple) else resource.arn
            yield TaggedResource(arn=arn, tags=resource.tags, resource_type=resource.resource_type)

    return iter_tagged_resources


def bucket_put(original: Any) -> Callable[..., Any]:
    """A new bucket gets the tags of the request; an existing one keeps its own."""

    def _bucket_response_put(self: S3Response, request: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:
        is_new = not querystring and bucket_name not in self.backend.buckets
        answer = original(self, request, bucket_name, querystring)
        if is_new and b"<Tags>" in self.body:
            space = "{http://s3.amazonaws.com/doc/2006-03-01/}"
            found = ET.fromstring(self.body).iter(f"{space}Tag")
            pairs = {tag.findtext(f"{space}Key", ""): tag.findtext(f"{space}Value", "") for tag in found}
            self.backend.put_bucket_tagging(bucket_name, pairs)
        return answer

    return _bucket_response_put


def head_bucket(original: Any) -> Callable[..., Any]:
    """Another account's bucket is forbidden, not absent."""

    def head(self: S3Response) -> Any:
        answer = original(self)
        expected = self.headers.get("x-amz-expected-bucket-owner")
        if answer[0] == 200 and expected not in (None, self.backend.get_bucket(self.bucket_name).account_id):
            return 403, {}, ""
        return answer

    return head


def bucket_permission(_original: Any) -> Callable[..., Any]:
    """A statement counts when its conditions hold; the calls of tests fulfil those that guard the transport."""

    def get_permission(self: FakeBucket, action: str, resource: str) -> Any:
        document = json.loads(self.policy or b'{"Statement": []}')
        document["Statement"] = [statement for statement in document["Statement"] if "Condition" not in statement]
        return IAMPolicy(json.dumps(document)).is_action_permitted(action, resource)

    return get_permission


def delete_package(_original: Any) -> Callable[..., Any]:
    """A version of a model goes; later ones keep their numbers."""

    def delete_model_package(self: SageMakerResponse) -> ActionResult:
        packages = self.sagemaker_backend.model_packages
        arn = self._get_param("ModelPackageName")
        if arn not in packages:
            raise ValidationError(message=f"ModelPackage {arn} does not exist.")
        del packages[arn]
        return ActionResult({})

    return delete_model_package


def delete_group(_original: Any) -> Callable[..., Any]:
    """A group goes when it is empty."""

    def delete_model_package_group(self: SageMakerResponse) -> ActionResult:
        name, backend = self._get_param("ModelPackageGroupName"), self.sagemaker_backend
        if any(package.model_package_group_name == name for package in backend.model_packages.values()):
            raise ValidationError(
                message=f"Model package group {name} cannot be deleted as it still contains packages."
            )
        del backend.model_package_groups[name]
        return ActionResult({})

    return delete_model_package_group


def definition_in_s3(_original: Any) -> Callable[..., Any]:
    """A definition in the bucket is read as text."""

    def load_pipeline_definition_from_s3(where: Any, account_id: str, partition: str) -> str:
        bucket = s3_backends[account_id][partition]
        found: Any = bucket.get_object(bucket_name=where["Bucket"], key_name=where["ObjectKey"])
        return str(found.value.decode())

    return load_pipeline_definition_from_s3


def stop_execution(_original: Any) -> Callable[..., Any]:
    """An execution stops."""

    def stop_pipeline_execution(self: SageMakerResponse) -> ActionResult:
        arn = self._get_param("PipelineExecutionArn")
        for pipeline in self.sagemaker_backend.pipelines.values():
            if arn in pipeline.pipeline_executions:
                pipeline.pipeline_executions[arn].pipeline_execution_status = "Stopped"
        return ActionResult({"PipelineExecutionArn": arn})

    return stop_pipeline_execution


_MENDED: tuple[tuple[Any, str, Callable[[Any], Any]], ...] = (
    (LambdaResponse, "get_provisioned_concurrency_config", get_provisioned),
    (LambdaResponse, "put_provisioned_concurrency_config", put_provisioned),
    (LambdaResponse, "delete_provisioned_concurrency_config", delete_provisioned),
    (SageMakerModelBackend, "iter_tagged_resources", tagged_models),
    (SageMakerResponse, "delete_model_package", delete_package),
    (SageMakerResponse, "delete_model_package_group", delete_group),
    (SageMakerResponse, "stop_pipeline_execution", stop_execution),
    (sagemaker_models, "load_pipeline_definition_from_s3", definition_in_s3),
    (FakeBucket, "get_permission", bucket_permission),
    (S3Response, "_bucket_response_put", bucket_put),
    (S3Response, "head_bucket", head_bucket),
)
