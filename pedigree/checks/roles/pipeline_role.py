"""The permissions of the role that runs the pipeline: it creates, describes and stops what the steps request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pedigree.checks.jobs import jobs
from pedigree.checks.roles.permission import PolicyConditions, RequiredPermission, named_actions
from pedigree.checks.roles.resource_names import ResourceNames
from pedigree.language.definition import Step
from pedigree.language.expressions import JsonGet
from pedigree.language.pointers import at, entries
from pedigree.language.step_roles import ROLE_MEMBERS, with_pipeline_role

SAGEMAKER = "sagemaker.amazonaws.com"
_RELATED = ("action", "artifact", "context", "experiment", "experiment-trial-component")
_TUNING_NAME = 7
_MAPREDUCE = "elasticmapreduce"
_RULES = ("SageMakerPipelineExecutionEMRStepStatusUpdateRule", "SageMakerPipelineExecutionEMRClusterStatusUpdateRule")


@dataclass(frozen=True)
class PipelineRole:
    """The role that runs the pipeline, by its name."""

    name: str
    resources: ResourceNames

    def for_step(self, step: Step) -> Iterator[RequiredPermission]:
        """The permissions to do what a step requests."""
        yield from _BY_TYPE.get(step.type, _nothing)(self, step)
        own = f"arn:{self.resources.partition}:iam::{self.resources.account}:role/{self.name}"
        for arn in _passed_roles(step, own):
            yield from self.pass_role(arn, SAGEMAKER, step)

    def require(
        self, step: Step, purpose: str, actions: str, resources: tuple[str, ...], conditions: PolicyConditions = ()
    ) -> RequiredPermission:
        """A permission of this role; the actions are in the short form of named_actions."""
        keys = tuple(_request_keys(step, self.resources))
        return RequiredPermission(self.name, purpose, named_actions(actions), resources, step.pointer, conditions, keys)

    def sagemaker(self, step: Step, purpose: str, verbs: str, resource: str) -> RequiredPermission:
        """A permission about a resource of SageMaker."""
        return self.require(step, purpose, f"sagemaker:{verbs}", (self.resources.arn("sagemaker", resource),))

    def pass_role(self, arn: Any, service: str, step: Step) -> Iterator[RequiredPermission]:
        """iam:PassRole, which a request needs that names a role for a service."""
        text = self.resources.text(arn)
        if text.startswith("arn:"):
            condition = (("StringEquals", "iam:PassedToService", (service,)),)
            receiver = "".join(part.title() for part in service.partition(".")[0].split("-"))
            purpose = "HandOverRoles" if service == SAGEMAKER else f"HandOverRolesTo{receiver}"
            yield self.require(step, purpose, "iam:PassRole", (text,), condition)

    def for_json_get(self, reference: JsonGet, pointer: str) -> Iterator[RequiredPermission]:
        """The permissions to read a property file and to decrypt it."""
        file, kms_key = self.resources.property_file(reference)
        if file:
            arn = f"arn:{self.resources.partition}:s3:::{'/'.join(file)}"
            yield RequiredPermission(self.name, "ReadPropertyFiles", ("s3:GetObject",), (arn,), pointer)
        if file and kms_key:
            via = (("StringEquals", "kms:ViaService", (f"s3.{self.resources.region}.amazonaws.com",)),)
            key = self.resources.kms_key(kms_key)
            yield RequiredPermission(self.name, "ReadEncryptedFiles", ("kms:Decrypt",), (key,), pointer, via)


def _passed_roles(step: Step, pipeline: str) -> Iterator[Any]:
    """The roles that a step's request names, with the pipeline's own where it names none."""
    request = with_pipeline_role(step.type, step.arguments, pipeline)
    arns = [job.get("RoleArn") for job in jobs(replace(step, arguments=request))]
    arns += [request.get(key) for key in ROLE_MEMBERS if step.type != "EMRServerless"]
    yield from {str(arn): arn for arn in arns if arn}.values()


def _request_keys(step: Step, resources: ResourceNames) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The condition keys that the request brings."""
    request = next((job.request for job in jobs(step)), step.arguments)
    for key, paths in _KEYS.items():
        members = [at(request, *path) for path in paths]
        values = [value for entry in members for value in (entry if isinstance(entry, list) else [entry])]
        texts = [
            str(value).lower() if isinstance(value, bool) else resources.text(value)
            for value in values
            if value is not None
        ]
        if texts and "*" not in texts:
            yield key, tuple(dict.fromkeys(texts))


def _nothing(_role: PipelineRole, _step: Step) -> Iterator[RequiredPermission]:
    yield from ()


def _job(kind: str, noun: str) -> Callable[[PipelineRole, Step], Iterator[RequiredPermission]]:
    def required(role: PipelineRole, step: Step) -> Iterator[RequiredPermission]:
        name = step.arguments.get(f"{kind}Name")
        names = f"{role.resources.text(name)}*" if name else "pipelines-*"
        yield role.sagemaker(step, f"Run{kind}s", f"Create{kind} Describe{kind} Stop{kind} AddTags", f"{noun}/{names}")

    return required


def _tuning(role: PipelineRole, step: Step) -> Iterator[RequiredPermission]:
    name = f"*-{step.name.replace('_', '-')[:_TUNING_NAME]}-*"
    kind = "HyperParameterTuningJob"
    verbs = f"Create{kind} Describe{kind} Stop{kind} ListTrainingJobsFor{kind} AddTags"
    yield role.sagemaker(step, "Search", verbs, f"hyper-parameter-tuning-job/{name}")
    yield role.sagemaker(step, "SeeTrials", "DescribeTrainingJob", f"training-job/{name}")


def _model(role: PipelineRole, step: Step) -> Iterator[RequiredPermission]:
    yield role.sagemaker(step, "MakeModels", "CreateModel DescribeModel AddTags", "model/*")


def _register(role: PipelineRole, step: Step) -> Iterator[RequiredPermission]:
    group = role.resources.text(step.arguments.get("ModelPackageGroupName")).rpartition("/")[2]
    verbs = "CreateModelPackage DescribeModelPackage AddTags"
    yield role.sagemaker(step, "RegisterVersions", verbs, f"model-package/{group}/*")
    verbs = "CreateModelPackageGroup DescribeModelPackageGroup AddTags"
    yield role.sagemaker(step, "KeepVersionsTogether", verbs, f"model-package-group/{group}")
    for _, container in entries(at(step.arguments, "InferenceSpecification", "Containers")):
        repository = role.resources.repository(container.get("Image"))
        if repository:
            yield role.require(step, "SeeImages", "ecr:BatchGetImage", (repository,))
        if artifact := role.resources.bucket_and_key(container.get("ModelDataUrl")):
            arn = f"arn:{role.resources.partition}:s3:::{'/'.join(artifact)}"
            yield role.require(step, "ReadArtifacts", "s3:GetObject", (arn,))


def _endpoint_config(role: PipelineRole, step: Step) -> Iterator[RequiredPermission]:
    verbs = "CreateEndpointConfig DescribeEndpointConfig AddTags"
    yield role.sagemaker(step, "ConfigureEndpoints", verbs, "endpoint-config/*")


def _endpoint(role: PipelineRole, step: Step) -> Iterator[RequiredPermission]:
    name = role.resources.text(step.arguments.get("EndpointName"))
    for resource in (f"endpoint/{name}", "endpoint-config/*"):
        yield role.sagemaker(step, "ServeModels", "CreateEndpoint UpdateEndpoint", resource)
    yield role.sagemaker(step, "SeeEndpoints", "DescribeEndpoint AddTags", f"endpoint/{name}")


def _component(role: PipelineRole, step: Step) -> Iterator[RequiredPermission]:
    name = role.resources.text(step.arguments.get("EndpointName"))
    for resource in ("inference-component/*", f"endpoint/{name}"):
        yield role.sagemaker(step, "PlaceModels", "CreateInferenceComponent", resource)
    yield role.sagemaker(step, "SeeComponents", "DescribeInferenceComponent AddTags", "inference-component/*")


def _lambda(role: PipelineRole, step: Step) -> Iterator[RequiredPermission]:
    function = role.resources.text(step.document.get("FunctionArn"))
    if function.startswith("arn:"):
        yield role.require(step, "CallFunctions", "lambda:InvokeFunction", (function,))


def _callback(role: PipelineRole, step: Step) -> Iterator[RequiredPermission]:
    queue = role.resources.queue(step.document.get("SqsQueueUrl"))
    if queue:
        yield role.require(step, "LeaveWaitingSteps", "sqs:SendMessage", (queue,))


def _quality(role: PipelineRole, step: Step) -> Iterator[RequiredPermission]:
    verbs = "CreateProcessingJob DescribeProcessingJob StopProcessingJob AddTags"
    yield role.sagemaker(step, "RunProcessingJobs", verbs, "processing-job/*")
    group = step.document.get("ModelPackageGroupName")
    if group:
        name = role.resources.text(group)
        yield role.sagemaker(step, "ReadBaselines", "ListModelPackages DescribeModelPackage", f"model-package/{name}/*")


def _emr(role: PipelineRole, step: Step) -> Iterator[RequiredPermission]:
    """A cluster has no name before it exists. By the EventBridge rules the service learns of the steps' states."""
    given = step.arguments.get("ClusterId")
    cluster = role.resources.arn(_MAPREDUCE, f"cluster/{role.resources.text(given) if given else '*'}")
    yield role.require(step, "RunOnClusters", f"{_MAPREDUCE}:AddJobFlowSteps CancelSteps DescribeStep", (cluster,))
    rules = tuple(role.resources.arn("events", f"rule/{rule}") for rule in (_RULES if not given else _RULES[:1]))
    for rule in rules:
        verbs = "DescribeRule PutRule PutTargets RemoveTargets DeleteRule"
        yield role.require(step, "HearOfClusters", f"events:{verbs}", (rule,))
    if not given:
        yield role.require(step, "StartClusters", f"{_MAPREDUCE}:RunJobFlow", ("*",))
        ended = f"{_MAPREDUCE}:DescribeCluster TerminateJobFlows"
        yield role.require(step, "EndClusters", ended, (cluster,))
        for member, service in (("ServiceRole", _MAPREDUCE), ("JobFlowRole", "ec2")):
            name = role.resources.text(at(step.arguments, "ClusterConfig", member))
            arn = f"arn:{role.resources.partition}:iam::{role.resources.account}:role/{name}"
            yield from role.pass_role(name if name.startswith("arn:") else arn, f"{service}.amazonaws.com", step)


def _serverless(role: PipelineRole, step: Step) -> Iterator[RequiredPermission]:
    given = step.arguments.get("ApplicationId")
    application = f"/applications/{role.resources.text(given) if given else '*'}"
    resources = (application, f"{application}/jobruns/*")
    for resource, verbs in zip(resources, ("StartJobRun", "GetJobRun CancelJobRun"), strict=True):
        arn = role.resources.arn("emr-serverless", resource)
        yield role.require(step, "RunServerless", f"emr-serverless:{verbs}", (arn,))
    yield from role.pass_role(step.arguments.get("ExecutionRoleArn"), "emr-serverless.amazonaws.com", step)


def _lineage(role: PipelineRole, step: Step) -> Iterator[RequiredPermission]:
    for kind in ("Action", "Artifact", "Context"):
        if step.arguments.get(f"{kind}s"):
            yield role.sagemaker(step, f"Record{kind}s", f"Create{kind}", f"{kind.lower()}/*")
    for noun in _RELATED if step.arguments.get("Associations") else ():
        yield role.sagemaker(step, "Relate", "AddAssociation", f"{noun}/*")


def _cleanup(role: PipelineRole, step: Step) -> Iterator[RequiredPermission]:
    sources = entries(at(step.arguments, "Resources", "S3"))
    lists = [source["S3Uris"] for _, source in sources if isinstance(source.get("S3Uris"), list)]
    for address in [address for addresses in lists for address in addresses]:
        bucket_and_key = role.resources.bucket_and_key(address)
        if bucket_and_key:
            arn = f"arn:{role.resources.partition}:s3:::{'/'.join(bucket_and_key)}"
            yield role.require(step, "CleanUp", "s3:DeleteObject", (arn,))


_BY_TYPE: Mapping[str, Callable[[PipelineRole, Step], Iterator[RequiredPermission]]] = {
    "Processing": _job("ProcessingJob", "processing-job"),
    "Training": _job("TrainingJob", "training-job"),
    "Transform": _job("TransformJob", "transform-job"),
    "AutoML": _job("AutoMLJob", "automl-job"),
    "Tuning": _tuning,
    "Model": _model,
    "RegisterModel": _register,
    "EndpointConfig": _endpoint_config,
    "Endpoint": _endpoint,
    "InferenceComponent": _component,
    "Lambda": _lambda,
    "Callback": _callback,
    "QualityCheck": _quality,
    "ClarifyCheck": _quality,
    "EMR": _emr,
    "EMRServerless": _serverless,
    "Lineage": _lineage,
    "Cleanup": _cleanup,
}
_KEYS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "sagemaker:InstanceTypes": (
        ("ResourceConfig", "InstanceType"),
        ("ProcessingResources", "ClusterConfig", "InstanceType"),
        ("TransformResources", "InstanceType"),
    ),
    "sagemaker:VpcSubnets": (("VpcConfig", "Subnets"), ("NetworkConfig", "VpcConfig", "Subnets")),
    "sagemaker:VpcSecurityGroupIds": (
        ("VpcConfig", "SecurityGroupIds"),
        ("NetworkConfig", "VpcConfig", "SecurityGroupIds"),
    ),
    "sagemaker:VolumeKmsKey": (
        ("ResourceConfig", "VolumeKmsKeyId"),
        ("ProcessingResources", "ClusterConfig", "VolumeKmsKeyId"),
        ("TransformResources", "VolumeKmsKeyId"),
    ),
    "sagemaker:OutputKmsKey": (
        ("OutputDataConfig", "KmsKeyId"),
        ("ProcessingOutputConfig", "KmsKeyId"),
        ("TransformOutput", "KmsKeyId"),
    ),
    "sagemaker:NetworkIsolation": (("EnableNetworkIsolation",), ("NetworkConfig", "EnableNetworkIsolation")),
    "sagemaker:InterContainerTrafficEncryption": (
        ("EnableInterContainerTrafficEncryption",),
        ("NetworkConfig", "EnableInterContainerTrafficEncryption"),
    ),
}
