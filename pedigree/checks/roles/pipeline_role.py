"""What the role needs that runs the pipeline: it makes what steps ask for, looks at it, and stops it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.checks.jobs import at, entries, jobs
from pedigree.checks.roles.addresses import Addresses
from pedigree.checks.roles.need import Conditions, Need
from pedigree.language.definition import Step
from pedigree.language.expressions import JsonGet

SAGEMAKER = "sagemaker.amazonaws.com"
_RELATED = ("action", "artifact", "context", "experiment", "experiment-trial-component")
_TUNING_NAME = 8
_MAPREDUCE = "elasticmapreduce"
_RULES = ("SageMakerPipelineExecutionEMRStepStatusUpdateRule", "SageMakerPipelineExecutionEMRClusterStatusUpdateRule")


@dataclass(frozen=True)
class Runner:
    """The role that runs the pipeline, and how the definition's names are read."""

    role: str
    addresses: Addresses

    def needs(self, step: Step) -> Iterator[Need]:
        """What it needs to make what a step asks for."""
        yield from _BY_TYPE.get(step.type, _nothing)(self, step)
        for job in _passed(step):
            yield from self.passing(job, SAGEMAKER, step)

    def need(
        self, step: Step, purpose: str, actions: str, resources: tuple[str, ...], conditions: Conditions = ()
    ) -> Need:
        """A need of this role; actions are words behind the name of their service."""
        service, _, verbs = actions.partition(":")
        named = tuple(f"{service}:{verb}" for verb in verbs.split())
        return Need(self.role, purpose, named, resources, step.pointer, conditions, tuple(_told(step, self.addresses)))

    def sagemaker(self, step: Step, purpose: str, verbs: str, resource: str) -> Need:
        """A need of something of SageMaker's."""
        return self.need(step, purpose, f"sagemaker:{verbs}", (self.addresses.arn("sagemaker", resource),))

    def passing(self, arn: Any, service: str, step: Step) -> Iterator[Need]:
        """Whoever names a role for a service to take must be allowed to hand it over."""
        text = self.addresses.text(arn)
        if text.startswith("arn:"):
            condition = (("StringEquals", "iam:PassedToService", (service,)),)
            taker = "".join(part.title() for part in service.partition(".")[0].split("-"))
            purpose = "HandOverRoles" if service == SAGEMAKER else f"HandOverRolesTo{taker}"
            yield self.need(step, purpose, "iam:PassRole", (text,), condition)

    def reading(self, reference: JsonGet, pointer: str) -> Iterator[Need]:
        """The JSON file that a value is read from, and the key under which it lies."""
        place, key = self.addresses.file(reference)
        if place:
            arn = f"arn:{self.addresses.partition}:s3:::{'/'.join(place)}"
            yield Need(self.role, "ReadPropertyFiles", ("s3:GetObject",), (arn,), pointer)
        if place and key:
            via = (("StringEquals", "kms:ViaService", (f"s3.{self.addresses.region}.amazonaws.com",)),)
            yield Need(self.role, "ReadEncryptedFiles", ("kms:Decrypt",), (self.addresses.key(key),), pointer, via)


def _passed(step: Step) -> Iterator[Any]:
    """The roles that a step hands over to what it makes."""
    found = [job.get("RoleArn") for job in jobs(step)]
    found += [step.arguments.get(one) for one in ("RoleArn", "ExecutionRoleArn") if step.type != "EMRServerless"]
    yield from {str(one): one for one in found if one}.values()


def _told(step: Step, addresses: Addresses) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What the request says that a policy may ask for."""
    request = next((job.request for job in jobs(step)), step.arguments)
    for key, paths in _KEYS.items():
        values = [at(request, *path) for path in paths]
        listed = [one for value in values for one in (value if isinstance(value, list) else [value]) if one is not None]
        texts = [str(one).lower() if isinstance(one, bool) else addresses.text(one) for one in listed]
        if texts and "*" not in texts:
            yield key, tuple(dict.fromkeys(texts))


def _nothing(_runner: Runner, _step: Step) -> Iterator[Need]:
    yield from ()


def _job(kind: str, noun: str) -> Callable[[Runner, Step], Iterator[Need]]:
    def made(runner: Runner, step: Step) -> Iterator[Need]:
        name = step.arguments.get(f"{kind}Name")
        names = f"{runner.addresses.text(name)}*" if name else "pipelines-*"
        yield runner.sagemaker(
            step, f"Run{kind}s", f"Create{kind} Describe{kind} Stop{kind} AddTags", f"{noun}/{names}"
        )

    return made


def _tuning(runner: Runner, step: Step) -> Iterator[Need]:
    name = f"*-{step.name.replace('_', '-')[:_TUNING_NAME].strip('-')}-*"
    kind = "HyperParameterTuningJob"
    verbs = f"Create{kind} Describe{kind} Stop{kind} ListTrainingJobsFor{kind} AddTags"
    yield runner.sagemaker(step, "Search", verbs, f"hyper-parameter-tuning-job/{name}")
    yield runner.sagemaker(step, "SeeTrials", "DescribeTrainingJob", f"training-job/{name}")


def _model(runner: Runner, step: Step) -> Iterator[Need]:
    yield runner.sagemaker(step, "MakeModels", "CreateModel DescribeModel AddTags", "model/*")


def _register(runner: Runner, step: Step) -> Iterator[Need]:
    group = runner.addresses.text(step.arguments.get("ModelPackageGroupName")).rpartition("/")[2]
    verbs = "CreateModelPackage DescribeModelPackage"
    yield runner.sagemaker(step, "RegisterVersions", verbs, f"model-package/{group}/*")
    verbs = "CreateModelPackageGroup DescribeModelPackageGroup"
    yield runner.sagemaker(step, "KeepVersionsTogether", verbs, f"model-package-group/{group}")
    for _, one in entries(at(step.arguments, "InferenceSpecification", "Containers")):
        repository = runner.addresses.repository(one.get("Image"))
        if repository:
            yield runner.need(step, "SeeImages", "ecr:BatchGetImage", (repository,))


def _endpoint_config(runner: Runner, step: Step) -> Iterator[Need]:
    verbs = "CreateEndpointConfig DescribeEndpointConfig AddTags"
    yield runner.sagemaker(step, "ConfigureEndpoints", verbs, "endpoint-config/*")


def _endpoint(runner: Runner, step: Step) -> Iterator[Need]:
    name = runner.addresses.text(step.arguments.get("EndpointName"))
    for resource in (f"endpoint/{name}", "endpoint-config/*"):
        yield runner.sagemaker(step, "ServeModels", "CreateEndpoint UpdateEndpoint", resource)
    yield runner.sagemaker(step, "SeeEndpoints", "DescribeEndpoint AddTags", f"endpoint/{name}")


def _component(runner: Runner, step: Step) -> Iterator[Need]:
    name = runner.addresses.text(step.arguments.get("EndpointName"))
    for resource in ("inference-component/*", f"endpoint/{name}"):
        yield runner.sagemaker(step, "PlaceModels", "CreateInferenceComponent", resource)
    yield runner.sagemaker(step, "SeeComponents", "DescribeInferenceComponent AddTags", "inference-component/*")


def _lambda(runner: Runner, step: Step) -> Iterator[Need]:
    function = runner.addresses.text(step.document.get("FunctionArn"))
    if function.startswith("arn:"):
        yield runner.need(step, "CallFunctions", "lambda:InvokeFunction", (function,))


def _callback(runner: Runner, step: Step) -> Iterator[Need]:
    queue = runner.addresses.queue(step.document.get("SqsQueueUrl"))
    if queue:
        yield runner.need(step, "LeaveWaitingSteps", "sqs:SendMessage", (queue,))


def _quality(runner: Runner, step: Step) -> Iterator[Need]:
    verbs = "CreateProcessingJob DescribeProcessingJob StopProcessingJob AddTags"
    yield runner.sagemaker(step, "RunProcessingJobs", verbs, "processing-job/*")
    group = step.document.get("ModelPackageGroupName")
    if group:
        name = runner.addresses.text(group)
        yield runner.sagemaker(step, "FindBaselines", "ListModelPackages", f"model-package-group/{name}")
        yield runner.sagemaker(step, "ReadBaselines", "DescribeModelPackage", f"model-package/{name}/*")


def _emr(runner: Runner, step: Step) -> Iterator[Need]:
    """Clusters have no names before they are there; the rules are those by which the service hears of their steps."""
    given = step.arguments.get("ClusterId")
    cluster = runner.addresses.arn(_MAPREDUCE, f"cluster/{runner.addresses.text(given) if given else '*'}")
    yield runner.need(step, "RunOnClusters", f"{_MAPREDUCE}:AddJobFlowSteps CancelSteps DescribeStep", (cluster,))
    rules = tuple(runner.addresses.arn("events", f"rule/{rule}") for rule in (_RULES if not given else _RULES[:1]))
    for rule in rules:
        verbs = "DescribeRule PutRule PutTargets RemoveTargets DeleteRule"
        yield runner.need(step, "HearOfClusters", f"events:{verbs}", (rule,))
    if not given:
        yield runner.need(step, "StartClusters", f"{_MAPREDUCE}:RunJobFlow", ("*",))
        ended = f"{_MAPREDUCE}:DescribeCluster TerminateJobFlows"
        yield runner.need(step, "EndClusters", ended, (cluster,))
        for member, service in (("ServiceRole", _MAPREDUCE), ("JobFlowRole", "ec2")):
            name = runner.addresses.text(at(step.arguments, "ClusterConfig", member))
            arn = f"arn:{runner.addresses.partition}:iam::{runner.addresses.account}:role/{name}"
            yield from runner.passing(name if name.startswith("arn:") else arn, f"{service}.amazonaws.com", step)


def _serverless(runner: Runner, step: Step) -> Iterator[Need]:
    given = step.arguments.get("ApplicationId")
    application = f"/applications/{runner.addresses.text(given) if given else '*'}"
    places = (application, f"{application}/jobruns/*")
    for resource, verbs in zip(places, ("StartJobRun", "GetJobRun CancelJobRun"), strict=True):
        arn = runner.addresses.arn("emr-serverless", resource)
        yield runner.need(step, "RunServerless", f"emr-serverless:{verbs}", (arn,))
    yield from runner.passing(step.arguments.get("ExecutionRoleArn"), "emr-serverless.amazonaws.com", step)


def _lineage(runner: Runner, step: Step) -> Iterator[Need]:
    for kind in ("Action", "Artifact", "Context"):
        if step.arguments.get(f"{kind}s"):
            yield runner.sagemaker(step, f"Record{kind}s", f"Create{kind}", f"{kind.lower()}/*")
    for noun in _RELATED if step.arguments.get("Associations") else ():
        yield runner.sagemaker(step, "Relate", "AddAssociation", f"{noun}/*")


def _cleanup(runner: Runner, step: Step) -> Iterator[Need]:
    sources = entries(at(step.arguments, "Resources", "S3"))
    listed = [source["S3Uris"] for _, source in sources if isinstance(source.get("S3Uris"), list)]
    for address in [one for several in listed for one in several]:
        place = runner.addresses.bucket_and_key(address)
        if place:
            arn = f"arn:{runner.addresses.partition}:s3:::{'/'.join(place)}"
            yield runner.need(step, "CleanUp", "s3:DeleteObject", (arn,))


_BY_TYPE: Mapping[str, Callable[[Runner, Step], Iterator[Need]]] = {
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
