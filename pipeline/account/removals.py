"""Finds what can be removed, kind by kind, and the calls that remove it.

Tags mark the resources of this pipeline. The tagging service also lists resources that were deleted a short time ago,
so each one is looked up. Resources without tags, or with a name that follows from the pipeline's, are also looked up by
name, which finds those that were created a moment ago.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pedigree.account.account import Account
from pedigree.account.plan import Act, ApiCall, Change, Wait
from pipeline.account import log_group, role, tags
from pipeline.account.approval import rule_name
from pipeline.account.functions import log_group_name
from pipeline.account.queues import await_queues, schedule_dead_letters
from pipeline.settings.tree import Settings
from steps.functions import FUNCTIONS, function_name
from steps.site import OWNER

_OVER = ("Stopped", "Failed", "Succeeded")
_STILL = ("InService", "OutOfService", "Failed", "UpdateRollbackFailed")
_LONGEST_EXECUTION = dt.timedelta(days=30)
_UPDATE_SECONDS = 3600.0
_ALARMS_AT_ONCE = 100
_SCALING = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}


@dataclass(frozen=True)
class RemovalContext:
    """The resources of an account that carry this pipeline's tag or name."""

    account: Account
    settings: Settings

    @cached_property
    def arns(self) -> tuple[str, ...]:
        """The ARNs with the tag, some of which may be deleted already."""
        owner = tags.wanted(self.settings)[OWNER]
        filters = [{"Key": OWNER, "Values": [owner]}]
        tagged = self.account.each(
            "resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", TagFilters=filters
        )
        return tuple(resource["ResourceARN"] for resource in tagged)

    def named(self, service: str, resource: str, expected: Iterable[str] = ()) -> list[str]:
        """The names of one kind of resource, from tags and from expected names."""
        names = list(expected)
        for arn in self.arns:
            _, _, of, _, _, rest = arn.removesuffix(":*").split(":", 5)
            name = rest.removeprefix(resource)
            is_part = resource.endswith("/") and "/" in name  # of such a thing, like an execution of a pipeline
            if of == service and rest.startswith(resource) and not is_part:
                names.append(name)
        return list(dict.fromkeys(names))


Removal = Callable[[RemovalContext], Iterator[Change]]


def schedule(context: RemovalContext) -> Iterator[Change]:
    """The schedule, if it starts our pipeline; first, so that it starts nothing meanwhile."""
    named = {"Name": context.settings.pipeline.name, "GroupName": "default"}
    existing = context.account.find("scheduler", "get_schedule", **named)
    owner = tags.wanted(context.settings)[OWNER]
    if existing and existing.get("Target", {}).get("Arn", "").lower() == owner.lower():
        yield _deleted("schedule", named["Name"], ApiCall("scheduler", "delete_schedule", named))


def rules(context: RemovalContext) -> Iterator[Change]:
    """Rules, and their targets before them."""
    for name in context.named("events", "rule/", [rule_name(context.settings)]):
        if context.account.find("events", "describe_rule", Name=name) is None:
            continue
        ids = [target["Id"] for target in context.account.each("events", "list_targets_by_rule", "Targets", Rule=name)]
        targets = [ApiCall("events", "remove_targets", {"Rule": name, "Ids": ids})] if ids else []
        yield _deleted("rule", name, *targets, ApiCall("events", "delete_rule", {"Name": name}))


def pipelines(context: RemovalContext) -> Iterator[Change]:
    """The pipeline; running executions are stopped while the functions that answer them still exist."""
    arns = set()
    for name in context.named("sagemaker", "pipeline/", [context.settings.pipeline.name]):
        existing = context.account.find("sagemaker", "describe_pipeline", PipelineName=name)
        if existing is None or existing["PipelineArn"] in arns:
            continue
        arns.add(existing["PipelineArn"])
        running = list(_running(context.account, name))
        why = (f"executions that are stopped before: {len(running)}",) if running else ()
        stopping = [call for arn in running for call in _stopped(arn)]
        yield _deleted(
            "pipeline", name, *stopping, ApiCall("sagemaker", "delete_pipeline", {"PipelineName": name}), why=why
        )


def _running(account: Account, pipeline: str) -> Iterator[str]:
    since = account.clock.now() - _LONGEST_EXECUTION
    executions = account.each(
        "sagemaker", "list_pipeline_executions", "PipelineExecutionSummaries", PipelineName=pipeline, CreatedAfter=since
    )
    yield from (
        execution["PipelineExecutionArn"]
        for execution in executions
        if execution["PipelineExecutionStatus"] not in _OVER
    )


def _stopped(arn: str) -> tuple[Act, ...]:
    named = {"PipelineExecutionArn": arn}
    what = f"execution {arn.rpartition('/')[2]} to stop"
    return (
        ApiCall("sagemaker", "stop_pipeline_execution", named),
        Wait("sagemaker", "describe_pipeline_execution", named, what, "PipelineExecutionStatus", _OVER),
    )


def scaling(context: RemovalContext) -> Iterator[Change]:
    """The scalable targets of our endpoints; their policies and alarms go with them."""
    ours = tuple(f"endpoint/{name.lower()}/" for name in context.named("sagemaker", "endpoint/"))
    if not ours:
        return
    service = "application-autoscaling"
    targets = context.account.each(
        service, "describe_scalable_targets", "ScalableTargets", ServiceNamespace="sagemaker"
    )
    for resource in sorted({target["ResourceId"] for target in targets}):
        if resource.lower().startswith(ours):
            call = ApiCall(service, "deregister_scalable_target", {**_SCALING, "ResourceId": resource})
            yield _deleted("scaling", resource, call)


def endpoints(context: RemovalContext) -> Iterator[Change]:
    """Endpoints; one that is being updated cannot be deleted before it is done."""
    for name in context.named("sagemaker", "endpoint/"):
        existing = context.account.find("sagemaker", "describe_endpoint", EndpointName=name)
        if existing is None:
            continue
        named = {"EndpointName": existing["EndpointName"]}
        gone = Wait("sagemaker", "describe_endpoint", named, f"endpoint {name} to be gone")
        still = Wait(
            "sagemaker", "describe_endpoint", named, f"endpoint {name} to be at rest", "EndpointStatus", _STILL,
            _UPDATE_SECONDS,
        )  # fmt: skip
        deleted = ApiCall("sagemaker", "delete_endpoint", named)
        status = existing["EndpointStatus"]
        acts = (gone,) if status == "Deleting" else (deleted, gone) if status in _STILL else (still, deleted, gone)
        why = () if status in _STILL else (f"it is {status}",)
        yield _deleted("endpoint", existing["EndpointName"], *acts, why=why)


def alarms(context: RemovalContext) -> Iterator[Change]:
    """The alarms that the deploying function made."""
    names = context.named("cloudwatch", "alarm:")
    for start in range(0, len(names), _ALARMS_AT_ONCE):
        answer = context.account.call(
            "cloudwatch", "describe_alarms", AlarmNames=names[start : start + _ALARMS_AT_ONCE],
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
        )  # fmt: skip
        for alarm in (*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())):
            name = alarm["AlarmName"]
            yield _deleted("alarm", name, ApiCall("cloudwatch", "delete_alarms", {"AlarmNames": [name]}))


def configurations(context: RemovalContext) -> Iterator[Change]:
    """The configurations of endpoints."""
    yield from _sagemaker(
        context, "endpoint configuration", "endpoint-config/", "endpoint_config", "EndpointConfigName"
    )


def models(context: RemovalContext) -> Iterator[Change]:
    """The models that endpoints served; versions in the registry are data."""
    yield from _sagemaker(context, "model", "model/", "model", "ModelName")


def _sagemaker(context: RemovalContext, kind: str, resource: str, operation: str, argument: str) -> Iterator[Change]:
    """The name as it was given: ARNs have it in lower case."""
    for name in context.named("sagemaker", resource):
        existing = context.account.find("sagemaker", f"describe_{operation}", **{argument: name})
        if existing is not None:
            call = ApiCall("sagemaker", f"delete_{operation}", {argument: existing[argument]})
            yield _deleted(kind, existing[argument], call)


def event_sources(context: RemovalContext) -> Iterator[Change]:
    """The event source mappings of our queues."""
    mappings = {}
    for queue in await_queues(context.settings):
        for mapping in context.account.each(
            "lambda", "list_event_source_mappings", "EventSourceMappings", EventSourceArn=queue.arn
        ):
            mappings[mapping["UUID"]] = mapping
    for identifier in context.named("lambda", "event-source-mapping:", mappings):
        existing = context.account.find("lambda", "get_event_source_mapping", UUID=identifier)
        if existing is not None and existing["State"] != "Deleting":
            call = ApiCall("lambda", "delete_event_source_mapping", {"UUID": identifier})
            yield _deleted("event source", existing["EventSourceArn"].rpartition(":")[2], call)


def functions(context: RemovalContext) -> Iterator[Change]:
    """Functions, with their versions, aliases and permissions."""
    for name in context.named("lambda", "function:", _functions(context.settings)):
        if context.account.find("lambda", "get_function", FunctionName=name) is not None:
            yield _deleted("function", name, ApiCall("lambda", "delete_function", {"FunctionName": name}))


def queues(context: RemovalContext) -> Iterator[Change]:
    """Queues, and the messages that are still in them."""
    names = [queue.name for queue in (*await_queues(context.settings), schedule_dead_letters(context.settings))]
    for name in context.named("sqs", "", names):
        existing = context.account.find("sqs", "get_queue_url", QueueName=name)
        if existing is not None:
            yield _deleted("queue", name, ApiCall("sqs", "delete_queue", {"QueueUrl": existing["QueueUrl"]}))


def log_groups(context: RemovalContext) -> Iterator[Change]:
    """The log groups of the functions."""
    names = map(log_group_name, _functions(context.settings))
    for name in context.named("logs", "log-group:", names):
        if log_group.find(context.account, name) is not None:
            yield _deleted("log group", name, ApiCall("logs", "delete_log_group", {"logGroupName": name}))


def instance_profile(context: RemovalContext) -> Iterator[Change]:
    """The instance profile, if it is ours, after its role is taken out."""
    name = role.profile(context.settings).name
    existing = context.account.find("iam", "get_instance_profile", InstanceProfileName=name)
    if existing is None or not _is_ours(context, existing["InstanceProfile"]):
        return
    named = {"InstanceProfileName": name}
    role_names = [role["RoleName"] for role in existing["InstanceProfile"]["Roles"]]
    released = [ApiCall("iam", "remove_role_from_instance_profile", {**named, "RoleName": role}) for role in role_names]
    yield _deleted("instance profile", name, *released, ApiCall("iam", "delete_instance_profile", named))


def roles(context: RemovalContext) -> Iterator[Change]:
    """The roles, if they are ours; last, because what goes before may need them."""
    for name in context.settings.site.roles.model_dump().values():
        named = {"RoleName": name}
        existing = context.account.find("iam", "get_role", **named)
        if existing is None or not _is_ours(context, existing["Role"]):
            continue
        inline = context.account.each("iam", "list_role_policies", "PolicyNames", **named)
        attached = context.account.each("iam", "list_attached_role_policies", "AttachedPolicies", **named)
        acts = [
            *(ApiCall("iam", "delete_role_policy", {**named, "PolicyName": policy}) for policy in inline),
            *(ApiCall("iam", "detach_role_policy", {**named, "PolicyArn": policy["PolicyArn"]}) for policy in attached),
        ]
        yield _deleted("role", name, *acts, ApiCall("iam", "delete_role", named))


def _functions(settings: Settings) -> list[str]:
    return [function_name(settings.pipeline.name, party) for party in FUNCTIONS]


def _is_ours(context: RemovalContext, existing: dict[str, Any]) -> bool:
    return tags.is_of(tags.mapping(existing.get("Tags", ())), tags.wanted(context.settings))


def _deleted(kind: str, name: str, *acts: Act, why: tuple[str, ...] = ()) -> Change:
    return Change("delete", kind, name, acts, why)


IN_ORDER: tuple[Removal, ...] = (
    schedule,
    rules,
    pipelines,
    scaling,
    endpoints,
    alarms,
    configurations,
    models,
    event_sources,
    functions,
    queues,
    log_groups,
    instance_profile,
    roles,
)
