"""Brings a registered version to its endpoint, and returns as soon as SageMaker is at work on it.

A step of the pipeline calls it, and so does the rule on approval, for versions that were approved later. It looks at
what is there, decides which calls follow, makes them, and looks again where something is in the way; so a second
attempt goes on where the first one ended. AwaitEndpoint, or the message that is left for it, does the waiting.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from deploying.current_state import Seen, look
from deploying.deployment import TAG_PREVIOUS, Serving, read, tag_list
from deploying.cleanup import tidy
from shared.aws import Aws, Call, Patience, until_settled
from shared.endpoint import DIMENSION, IN_SERVICE, Endpoint, resource_id
from shared.errors import BusyError, FunctionError, NotYetError, RefusedError
from shared.event import Event
from shared.log import Log

OUTCOME_DEPLOYING = "deploying"
OUTCOME_UNCHANGED = "unchanged"
OUTCOME_NOT_APPROVED = "not-approved"
OUTCOME_BUSY = "busy"
NEXT_FUNCTION = "next_function"
NEXT_EVENT = "next_event"
AWAIT_QUEUE_URL = "await_queue_url"
AUTOSCALING = "autoscaling"
AUTOSCALING_FUNCTION = "autoscaling_function"
_REMEDY = "retry the execution when the endpoint is InService"


@dataclass(frozen=True)
class Later:
    """What to do once the endpoint has come to rest, where no step waits for it: a message in a queue asks for it."""

    queue: str
    function: str
    event: Mapping[str, Any]

    def message(self, serving: Serving, outcome: str) -> Call:
        """The message; its outcome says what it waits for."""
        arguments = {
            "outcome": outcome,
            "endpoint_name": serving.endpoint,
            "endpoint_config_name": serving.name,
            NEXT_FUNCTION: self.function,
            NEXT_EVENT: self.event,
        }
        body = json.dumps({"token": "", "arguments": arguments}, sort_keys=True)
        return Call("sqs", "send_message", {"QueueUrl": self.queue, "MessageBody": body})


@dataclass(frozen=True)
class Asked:
    """What an event asks for, and after an approval, what follows."""

    serving: Serving
    later: Later | None = None


@dataclass(frozen=True)
class Step:
    """The calls that follow; then the outcome, or what to wait for before looking again."""

    calls: tuple[Call, ...] = ()
    outcome: str = ""
    wait: str = ""
    configuration: str = ""
    tidies: bool = False


def handler(event: Mapping[str, Any], context: Any) -> dict[str, str]:
    """What Lambda calls."""
    log = Log.of("deploy_endpoint", context)
    return deploy(event, Aws(), Patience.of(context), log, str(context.invoked_function_arn))


def deploy(event: Mapping[str, Any], aws: Aws, patience: Patience, log: Log, function: str) -> dict[str, str]:
    """Serve the version of an event; the outcome says whether that is under way, done already, or not approved."""
    try:
        asked = _read(Event(event))
        step = _settled(asked, Later(event.get(AWAIT_QUEUE_URL, ""), function, event), aws, patience, log)
    except FunctionError as error:
        log.error(str(error))
        raise
    log.info("decided", outcome=step.outcome, endpoint=asked.serving.endpoint, configuration=step.configuration)
    if step.tidies:
        tidy(asked.serving, aws, log)
    return {
        "outcome": step.outcome,
        "endpoint_name": asked.serving.endpoint,
        "endpoint_config_name": step.configuration,
    }


def _read(event: Event) -> Asked:
    serving, queue = read(event), event.optional(AWAIT_QUEUE_URL)
    if not queue:
        return Asked(serving)
    return Asked(serving, Later(queue, event.text(AUTOSCALING_FUNCTION), event.table(AUTOSCALING)))


def _settled(asked: Asked, again: Later, aws: Aws, patience: Patience, log: Log) -> Step:
    """The step that came to an outcome. An approval comes once only: if time is up, a message brings it again."""
    try:
        return until_settled(lambda: _turn(asked, aws, log), patience, _REMEDY)
    except BusyError as busy:
        if asked.later is None:
            raise
        log.warning("is put off until the endpoint has come to rest", why=str(busy))
        try:
            aws.make(again.message(asked.serving, OUTCOME_BUSY))
        except NotYetError:
            raise busy from None
        return Step(outcome=OUTCOME_BUSY, configuration=asked.serving.name)


def _turn(asked: Asked, aws: Aws, log: Log) -> Step:
    """Look, decide, act: the step that came to an outcome."""
    step = decide(asked, look(asked.serving, aws, served_too=asked.later is not None))
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


def decide(asked: Asked, seen: Seen) -> Step:
    """What follows from what is there."""
    serving, endpoint = asked.serving, seen.endpoint
    if seen.package.get("ModelApprovalStatus") != "Approved":
        return Step(outcome=OUTCOME_NOT_APPROVED, configuration=serving.name)
    if asked.later and _is_left_alone(asked, seen):
        return Step(outcome=OUTCOME_UNCHANGED, configuration=endpoint.heading_for if endpoint else serving.name)
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
        return _serve(asked, [], OUTCOME_UNCHANGED)
    names = {"EndpointName": serving.endpoint, "EndpointConfigName": serving.name}
    kept = serving.variant in endpoint.counts  # its number of instances, which scaling may have raised
    retained = {"ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DataCaptureConfig"}]} if kept else {}
    policy = {"RetainAllVariantProperties": kept, **retained, "DeploymentConfig": serving.update}
    stopped = [
        one for one in seen.scaled if one != serving.variant or seen.instance_types.get(one) != serving.instance_type
    ]
    calls = [
        *_prepare(serving, seen, endpoint.configuration if endpoint.configuration != serving.name else ""),
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
    if endpoint.heading_for == asked.serving.name and not endpoint.is_lost:
        return _serve(asked, [])
    return Step(wait=f"endpoint {endpoint.name} is {endpoint.status}, with configuration {endpoint.heading_for}")


def _serve(asked: Asked, calls: Iterable[Call], outcome: str = OUTCOME_DEPLOYING) -> Step:
    left = (asked.later.message(asked.serving, OUTCOME_DEPLOYING),) if asked.later else ()
    return Step((*calls, *left), outcome, configuration=asked.serving.name, tidies=True)


def _prepare(serving: Serving, seen: Seen, previous: str) -> Iterable[Call]:
    """Model, configuration and alarms, as far as they are not there."""
    if seen.missing_alarms:
        raise RefusedError(
            f"there is no alarm named {seen.missing_alarms[0]} in this account and region, and endpoint.alarms.extra "
            "names it; make it, or take it out of settings"
        )
    tags = {**serving.tags, **({TAG_PREVIOUS: previous} if previous else {})}
    if not seen.has_model:
        held = {"ModelName": serving.name, **serving.model}
        yield Call("sagemaker", "create_model", {**held, "Tags": tag_list(serving.tags)})
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
