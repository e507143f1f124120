"""Brings a registered version to its endpoint, and returns as soon as SageMaker is at work on it.

A step of the pipeline calls it, and so does the rule on approval, for versions that were approved later. It looks at
what is there, decides which calls follow, makes them, and looks again where something is in the way; so a second
attempt goes on where the first one ended. AwaitEndpoint, or the message that is left for it, does the waiting.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared import endpoint as endpoints
from shared.aws import Aws, Call, Patience, until_settled
from shared.endpoint import DIMENSION, IN_SERVICE, Endpoint, resource_id
from shared.errors import FunctionError, NotYetError, RefusedError
from shared.event import Event
from shared.log import Log
from shared.serving import PREVIOUS_TAG, Serving, alarm_names, common, is_of, read, tag_list

DEPLOYING, UNCHANGED, NOT_APPROVED = "deploying", "unchanged", "not-approved"
KEPT = 5
_REMEDY = "retry the execution when the endpoint is InService"


@dataclass(frozen=True)
class Asked:
    """What an event asks for; after an approval nobody waits, so a message is left in a queue."""

    serving: Serving
    message: Call | None = None


@dataclass(frozen=True)
class Seen:
    """What is there, as far as it matters for what to do."""

    endpoint: Endpoint | None
    package: Mapping[str, Any] = field(default_factory=dict)  # of the registry, as it is described
    served_package: str = ""  # the version that the endpoint serves or is about to
    instance_types: Mapping[str, str] = field(default_factory=dict)  # of each variant that is served
    scaled: tuple[str, ...] = ()  # the variants that are registered for scaling
    has_model: bool = False
    configuration_arn: str = ""
    missing_alarms: tuple[str, ...] = ()  # those of settings that do not exist


@dataclass(frozen=True)
class Step:
    """The calls that follow; then the outcome, or what to wait for before looking again."""

    calls: tuple[Call, ...] = ()
    outcome: str = ""
    wait: str = ""
    configuration: str = ""


def handler(event: Mapping[str, Any], context: Any) -> dict[str, str]:
    """What Lambda calls."""
    return deploy(event, Aws(), Patience.of(context), Log.of("deploy_endpoint", context))


def deploy(event: Mapping[str, Any], aws: Aws, patience: Patience, log: Log) -> dict[str, str]:
    """Serve the version of an event; the outcome says whether that is under way, done already, or not approved."""
    try:
        asked = _read(Event(event))
        step = until_settled(lambda: _turn(asked, aws, log), patience, _REMEDY)
    except FunctionError as error:
        log.error(str(error))
        raise
    log.info("decided", outcome=step.outcome, endpoint=asked.serving.endpoint, configuration=step.configuration)
    if step.outcome != NOT_APPROVED and step.configuration == asked.serving.name:
        _tidy(asked.serving, aws, log)
    return {
        "outcome": step.outcome,
        "endpoint_name": asked.serving.endpoint,
        "endpoint_config_name": step.configuration,
    }


def _read(event: Event) -> Asked:
    serving, queue = read(event), event.optional("await_queue_url")
    if not queue:
        return Asked(serving)
    arguments = {
        "outcome": DEPLOYING,
        "endpoint_name": serving.endpoint,
        "endpoint_config_name": serving.name,
        "autoscaling_function": event.text("autoscaling_function"),
        "autoscaling": event.table("autoscaling"),
    }
    body = json.dumps({"token": "", "arguments": arguments}, sort_keys=True)
    return Asked(serving, Call("sqs", "send_message", {"QueueUrl": queue, "MessageBody": body}))


def _turn(asked: Asked, aws: Aws, log: Log) -> Step:
    """Look, decide, act: the step that came to an outcome."""
    step = decide(asked, look(asked, aws))
    loose = ""
    for call in step.calls:
        log.info("calls", operation=call.operation, service=call.service, configuration=asked.serving.name)
        try:
            aws.make(call)
        except RefusedError as refusal:
            raise RefusedError(f"{refusal}{loose}", refusal.code) from refusal
        if call.operation == "deregister_scalable_target":
            loose = "; until ConfigureAutoscaling has run again, nothing scales the endpoint"
    if step.wait:
        log.info("waits", why=step.wait)
        raise NotYetError(step.wait)
    return step


def look(asked: Asked, aws: Aws) -> Seen:
    """What is there; only what the next decision needs is asked for."""
    serving = asked.serving
    package = aws.ask("sagemaker", "describe_model_package", ModelPackageName=serving.package)
    if package.get("ModelApprovalStatus") != "Approved":
        return Seen(None, package)
    endpoint = endpoints.find(aws, serving.endpoint)
    served_package = _served_package(endpoint, aws) if asked.message and endpoint else ""
    if endpoint is not None and endpoint.is_moving:
        return Seen(endpoint, package, served_package)
    own = aws.find("sagemaker", "describe_endpoint_config", EndpointConfigName=serving.name)
    return Seen(
        endpoint=endpoint,
        package=package,
        served_package=served_package,
        instance_types=_instance_types(endpoint, aws) if endpoint else {},
        scaled=_scaled(endpoint.name, {*endpoint.counts, serving.variant}, aws) if endpoint else (),
        has_model=aws.find("sagemaker", "describe_model", ModelName=serving.name) is not None,
        configuration_arn=str(own["EndpointConfigArn"]) if own else "",
        missing_alarms=_missing_alarms(serving.foreign_alarms, aws),
    )


def _served_package(endpoint: Endpoint, aws: Aws) -> str:
    configuration = aws.find("sagemaker", "describe_endpoint_config", EndpointConfigName=endpoint.heading_for) or {}
    for variant in configuration.get("ProductionVariants", ()):
        model = aws.find("sagemaker", "describe_model", ModelName=variant["ModelName"]) or {}
        containers = [model.get("PrimaryContainer", {}), *model.get("Containers", ())]
        return next((str(one["ModelPackageName"]) for one in containers if "ModelPackageName" in one), "")
    return ""


def _instance_types(endpoint: Endpoint, aws: Aws) -> dict[str, str]:
    configuration = aws.find("sagemaker", "describe_endpoint_config", EndpointConfigName=endpoint.configuration) or {}
    return {one["VariantName"]: one.get("InstanceType", "") for one in configuration.get("ProductionVariants", ())}


def _scaled(endpoint: str, variants: Iterable[str], aws: Aws) -> tuple[str, ...]:
    by_id = {resource_id(endpoint, variant): variant for variant in sorted(variants)}
    arguments = {**DIMENSION, "ResourceIds": list(by_id)}
    targets = aws.each("application-autoscaling", "describe_scalable_targets", "ScalableTargets", **arguments)
    return tuple(by_id[target["ResourceId"]] for target in targets)


def _missing_alarms(names: tuple[str, ...], aws: Aws) -> tuple[str, ...]:
    if not names:
        return ()
    kinds = ["MetricAlarm", "CompositeAlarm"]
    answer = aws.ask("cloudwatch", "describe_alarms", AlarmNames=list(names), AlarmTypes=kinds)
    found = {alarm["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for alarm in answer.get(kind, ())}
    return tuple(name for name in names if name not in found)


def decide(asked: Asked, seen: Seen) -> Step:
    """What follows from what is there."""
    serving, endpoint = asked.serving, seen.endpoint
    if seen.package.get("ModelApprovalStatus") != "Approved":
        return Step(outcome=NOT_APPROVED, configuration=serving.name)
    if asked.message and _is_left_alone(asked, seen):
        return Step(outcome=UNCHANGED, configuration=endpoint.heading_for if endpoint else serving.name)
    if endpoint is None:
        return _create(asked, seen)
    if endpoint.status == "Failed":
        return _clear(seen, endpoint)
    return _update(asked, seen, endpoint) if not endpoint.is_moving else _wait(asked, endpoint)


def _is_left_alone(asked: Asked, seen: Seen) -> bool:
    """Whether a version is in other hands: approved when it was made, so that its execution deploys it, or served."""
    made, changed = seen.package.get("CreationTime"), seen.package.get("LastModifiedTime")
    if seen.endpoint is not None and seen.endpoint.heading_for == asked.serving.name:
        return False
    return changed is None or changed == made or seen.served_package == asked.serving.package


def _create(asked: Asked, seen: Seen) -> Step:
    serving = asked.serving
    names = {"EndpointName": serving.endpoint, "EndpointConfigName": serving.name}
    call = Call("sagemaker", "create_endpoint", {**names, "Tags": tag_list(serving.tags)})
    return _serve(asked, [*_prepare(serving, seen, ""), call])


def _update(asked: Asked, seen: Seen, endpoint: Endpoint) -> Step:
    """Move the endpoint on; scaling is taken off first where it stands in the way."""
    serving = asked.serving
    if endpoint.configuration == serving.name and endpoint.status == IN_SERVICE:
        return _serve(asked, [], UNCHANGED)
    names = {"EndpointName": serving.endpoint, "EndpointConfigName": serving.name}
    kept = serving.variant in endpoint.counts  # its number of instances, which scaling may have raised
    retained = {"ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DataCaptureConfig"}]} if kept else {}
    policy = {"RetainAllVariantProperties": kept, **retained, "DeploymentConfig": serving.update}
    stopped = [
        one for one in seen.scaled if one != serving.variant or seen.instance_types.get(one) != serving.instance_type
    ]
    calls = [
        *_prepare(serving, seen, endpoint.configuration),
        *_deregister(endpoint, stopped),
        Call("sagemaker", "update_endpoint", {**names, **policy}),
    ]
    return _serve(asked, calls)


def _clear(seen: Seen, endpoint: Endpoint) -> Step:
    """A failed endpoint can only be deleted; what it was to serve is made anew."""
    gone = Call("sagemaker", "delete_endpoint", {"EndpointName": endpoint.name})
    why = f"endpoint {endpoint.name} had failed ({endpoint.reason or 'no reason given'}) and is being deleted"
    return Step((*_deregister(endpoint, seen.scaled), gone), wait=why)


def _wait(asked: Asked, endpoint: Endpoint) -> Step:
    """It is at something: at what was asked for, or at something of somebody else's."""
    if endpoint.heading_for == asked.serving.name and endpoint.status != "Deleting":
        return _serve(asked, [])
    return Step(wait=f"endpoint {endpoint.name} is {endpoint.status}, with configuration {endpoint.heading_for}")


def _serve(asked: Asked, calls: Iterable[Call], outcome: str = DEPLOYING) -> Step:
    left = (asked.message,) if asked.message else ()
    return Step((*calls, *left), outcome, configuration=asked.serving.name)


def _prepare(serving: Serving, seen: Seen, previous: str) -> Iterable[Call]:
    """Model, configuration and alarms, as far as they are not there."""
    if seen.missing_alarms:
        raise RefusedError(
            f"there is no alarm named {seen.missing_alarms[0]} in this account and region, and endpoint.alarms.extra "
            "names it; make it, or take it out of settings"
        )
    tags = {**serving.tags, **({PREVIOUS_TAG: previous} if previous else {})}
    if not seen.has_model:
        yield Call(
            "sagemaker", "create_model", {"ModelName": serving.name, **serving.model, "Tags": tag_list(serving.tags)}
        )
    if not seen.configuration_arn:
        variants = [{**one, "ModelName": serving.name} for one in serving.configuration["ProductionVariants"]]
        held = {"EndpointConfigName": serving.name, **serving.configuration, "ProductionVariants": variants}
        yield Call("sagemaker", "create_endpoint_config", {**held, "Tags": tag_list(tags)})
    elif previous:
        yield Call("sagemaker", "add_tags", {"ResourceArn": seen.configuration_arn, "Tags": tag_list(tags)})
    for alarm in serving.alarms:
        yield Call("cloudwatch", "put_metric_alarm", alarm)


def _deregister(endpoint: Endpoint, variants: Iterable[str]) -> Iterable[Call]:
    for variant in variants:
        target = {**DIMENSION, "ResourceId": resource_id(endpoint.name, variant)}
        yield Call("application-autoscaling", "deregister_scalable_target", target)


def _tidy(serving: Serving, aws: Aws, log: Log) -> None:
    """Remove what earlier deployments made and nobody needs; what fails now is removed by the next one."""
    try:
        for call in (*_unwanted_alarms(serving, aws), *_leftovers(serving, aws)):
            log.info("removes", operation=call.operation, what=next(iter(call.arguments.values())))
            aws.make(call)
    except (NotYetError, RefusedError) as error:
        log.warning("what is not needed any more is left for the next deployment", why=str(error))


def _unwanted_alarms(serving: Serving, aws: Aws) -> Iterable[Call]:
    wanted = {*(alarm["AlarmName"] for alarm in serving.alarms), *serving.foreign_alarms}
    unwanted = [name for name in alarm_names(serving.endpoint) if name not in wanted]
    kept = aws.ask("cloudwatch", "describe_alarms", AlarmNames=unwanted).get("MetricAlarms", ()) if unwanted else ()
    if kept:
        yield Call("cloudwatch", "delete_alarms", {"AlarmNames": [alarm["AlarmName"] for alarm in kept]})


def _leftovers(serving: Serving, aws: Aws) -> Iterable[Call]:
    """Configurations and models beyond the last few; never what is served, or what a rollback would go back to."""
    newest_first = {"NameContains": common(serving.endpoint), "SortBy": "CreationTime", "SortOrder": "Descending"}
    configurations = {
        one["EndpointConfigName"]: one["EndpointConfigArn"]
        for one in aws.each("sagemaker", "list_endpoint_configs", "EndpointConfigs", **newest_first)
        if is_of(serving.endpoint, one["EndpointConfigName"])
    }
    models = [one["ModelName"] for one in aws.each("sagemaker", "list_models", "Models", **newest_first)]
    own_models = [one for one in models if is_of(serving.endpoint, one)]
    kept = {*list(configurations)[:KEPT], serving.name}
    if kept >= {*configurations, *own_models}:
        return
    kept |= _needed(serving.endpoint, configurations, aws)
    for name in configurations:
        if name not in kept:
            yield Call("sagemaker", "delete_endpoint_config", {"EndpointConfigName": name})
    for model in own_models[KEPT:]:
        if model not in kept:
            yield Call("sagemaker", "delete_model", {"ModelName": model})


def _needed(name: str, configurations: Mapping[str, str], aws: Aws) -> set[str]:
    """What the endpoint serves, what it will serve, and what each of the two came after."""
    endpoint = endpoints.find(aws, name)
    served = {endpoint.configuration, endpoint.heading_for} if endpoint else set()
    tags = (
        tag
        for one in sorted(served & set(configurations))
        for tag in aws.each("sagemaker", "list_tags", "Tags", ResourceArn=configurations[one])
    )
    return served | {tag["Value"] for tag in tags if tag["Key"] == PREVIOUS_TAG}
