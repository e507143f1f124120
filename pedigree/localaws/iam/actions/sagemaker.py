"""SageMaker: most operations are a verb and a noun, and the noun's name is in the request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.localaws.http.protocol.call import Call
from pedigree.localaws.http.protocol.models import input_shape, model
from pedigree.localaws.iam.actions.needs import ActionTable, Need
from pedigree.localaws.iam.actions.resources import Resources

_MODEL = "sagemaker"
_VERB = re.compile(r"(Create|Describe|Update|Delete|Stop|Start)([A-Z].*)")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_UNUSUAL_NOUNS: Mapping[str, str] = {
    "Action": "action",
    "AutoMLJob": "automl-job",
    "Context": "context",
    "Trial": "experiment-trial",
    "TrialComponent": "experiment-trial-component",
}
_EXECUTION = (Need("{PipelineExecutionArn}"),)
_ANSWERED = (Need("{CallbackExecution}"),)
_ASSOCIATED = (Need("{SourceArn}"), Need("{DestinationArn}"))
_TAGGED = (Need("{ResourceArn}"),)
_MOVED = (Need("endpoint/{EndpointName}"), Need("endpoint-config/{EndpointConfigName}"))
_PACKAGE = (Need("model-package/{ModelPackageName}"),)
_SPECIAL: Mapping[str, tuple[Need, ...]] = {
    "AddAssociation": _ASSOCIATED,
    "DeleteAssociation": _ASSOCIATED,
    "AddTags": _TAGGED,
    "DeleteTags": _TAGGED,
    "ListTags": _TAGGED,
    "CreateEndpoint": _MOVED,
    "UpdateEndpoint": _MOVED,
    "UpdateEndpointWeightsAndCapacities": (Need("endpoint/{EndpointName}"),),
    "CreateModelPackage": (Need("model-package/{NewModelPackage}"),),
    "DescribeModelPackage": _PACKAGE,
    "DeleteModelPackage": _PACKAGE,
    "UpdateModelPackage": (Need("{ModelPackageArn}"),),
    "BatchDescribeModelPackage": (Need("{ModelPackageArnList[]}"),),
    **dict.fromkeys(
        ("GetModelPackageGroupPolicy", "PutModelPackageGroupPolicy", "DeleteModelPackageGroupPolicy"),
        (Need("model-package-group/{ModelPackageGroupName}"),),
    ),
    "ListModelPackages": (Need("model-package/{VersionsOfGroup}"),),
    "ListTrainingJobsForHyperParameterTuningJob": (Need("hyper-parameter-tuning-job/{HyperParameterTuningJobName}"),),
    "StartPipelineExecution": (Need("pipeline/{PipelineName}"),),
    "ListPipelineExecutions": (Need("pipeline/{PipelineName}"),),
    "ListPipelineVersions": (Need("pipeline/{PipelineName}"),),
    "UpdatePipelineVersion": (Need("{PipelineArn}"),),
    "DescribePipelineExecution": _EXECUTION,
    "DescribePipelineDefinitionForExecution": _EXECUTION,
    "ListPipelineExecutionSteps": _EXECUTION,
    "ListPipelineParametersForExecution": _EXECUTION,
    "RetryPipelineExecution": _EXECUTION,
    "StopPipelineExecution": _EXECUTION,
    "UpdatePipelineExecution": _EXECUTION,
    "SendPipelineExecutionStepSuccess": _ANSWERED,
    "SendPipelineExecutionStepFailure": _ANSWERED,
}


def _usual() -> Iterator[tuple[str, tuple[Need, ...]]]:
    """The needs of operations on one named resource."""
    for operation in model(_MODEL).operation_names:
        verb = _VERB.fullmatch(operation)
        shape = input_shape(_MODEL, operation)
        if verb and shape is not None and f"{verb[2]}Name" in shape.members:
            noun = _UNUSUAL_NOUNS.get(verb[2]) or _WORD.sub("-", verb[2]).lower()
            yield operation, (Need(f"{noun}/{{{verb[2]}Name}}"),)


def _derive(call: Call, resources: Resources) -> Mapping[str, Any]:
    """The execution behind a callback token, and all versions of a group: a new version's number is not known yet."""
    group, token = call.members.get("ModelPackageGroupName"), call.members.get("CallbackToken")
    if token is not None:
        return {"CallbackExecution": resources.execution_of(str(token)) or None}
    versions = f"{str(group).rpartition('/')[2]}/*" if group else None
    return {"NewModelPackage": versions or call.members.get("ModelPackageName"), "VersionsOfGroup": versions}


TABLE = ActionTable(
    _MODEL,
    "sagemaker",
    {**dict(_usual()), **_SPECIAL},
    keys={
        "sagemaker:VolumeKmsKey": "KmsKeyId",
        "sagemaker:ModelApprovalStatus": "ModelApprovalStatus",
    },
    anywhere={
        "sagemaker:InstanceTypes": ("InstanceType",),
        "sagemaker:VpcSubnets": ("VpcConfig.Subnets",),
        "sagemaker:VpcSecurityGroupIds": ("VpcConfig.SecurityGroupIds",),
        "sagemaker:VolumeKmsKey": ("VolumeKmsKeyId",),
        "sagemaker:OutputKmsKey": (
            *("OutputDataConfig.KmsKeyId", "ProcessingOutputConfig.KmsKeyId", "TransformOutput.KmsKeyId"),
            *("OutputConfig.KmsKeyId", "MonitoringOutputConfig.KmsKeyId"),
        ),
        "sagemaker:NetworkIsolation": ("EnableNetworkIsolation",),
        "sagemaker:InterContainerTrafficEncryption": ("EnableInterContainerTrafficEncryption",),
    },
    passes=("sagemaker.amazonaws.com", ("RoleArn", "ExecutionRoleArn")),
    tagging="AddTags",
    derive=_derive,
)
