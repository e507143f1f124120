"""Deploys a registered version to its endpoint, and returns as soon as SageMaker has started.

A step of the pipeline calls it, and so does the rule for versions that are approved later. It reads the current state,
plans calls, makes them, and reads again if something is in the way; so a second attempt continues where the first one
ended. AwaitEndpoint, or the message that is left for it, does the waiting.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from deploying.cleanup import clean_up
from deploying.current_state import CurrentState, read_state
from deploying.deployment import TAG_PREVIOUS, Deployment, parse_deployment, tag_list
from shared.aws import Aws, AwsCall, TimeBudget, retry_until_done
from shared.endpoint import DIMENSION, IN_SERVICE, EndpointState, resource_id
from shared.errors import BusyError, FunctionError, RefusedError, RetryableError
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
class FollowUp:
    """The function to call once the endpoint is stable, if no step waits for it; a message in a queue asks for that."""

    queue: str
    function: str
    event: Mapping[str, Any]

    def message(self, deployment: Deployment, outcome: str) -> AwsCall:
        """Returns the call that sends the message; its outcome says what the message waits for."""
        arguments = {
            "outcome": outcome,
            "endpoint_name": deployment.endpoint,
            "endpoint_config_name": deployment.name,
            NEXT_FUNCTION: self.function,
            NEXT_EVENT: self.event,
        }
        body = json.dumps({"token": "", "arguments": arguments}, sort_keys=True)
        return AwsCall("sqs", "send_message", {"QueueUrl": self.queue, "MessageBody": body})


@dataclass(frozen=True)
class DeploymentRequest:
    """The deployment that an event asks for, and what follows after an approval."""

    deployment: Deployment
    follow_up: FollowUp | None = None


@dataclass(frozen=True)
class DeploymentPlan:
    """The calls to make; then the outcome, or the reason to wait and read the state again."""

    calls: tuple[AwsCall, ...] = ()
    outcome: str = ""
    wait: str = ""
    configuration: str = ""
    needs_cleanup: bool = False


def handler(event: Mapping[str, Any], context: Any) -> dict[str, str]:
    """Lambda's entry point."""
    log = Log.of("deploy_endpoint", context)
    return deploy(event, Aws(), TimeBudget.of(context), log, str(context.invoked_function_arn))


def deploy(event: Mapping[str, Any], aws: Aws, budget: TimeBudget, log: Log, function: str) -> dict[str, str]:
    """Deploys the version of an event; returns whether that is in progress, already done, or not approved."""
    try:
        request = _parse_request(Event(event))
        plan = _deploy_or_postpone(request, FollowUp(event.get(AWAIT_QUEUE_URL, ""), function, event), aws, budget, log)
    except FunctionError as error:
        log.error(str(error))
        raise
    log.info("decided", outcome=plan.outcome, endpoint=request.deployment.endpoint, configuration=plan.configuration)
    if plan.needs_cleanup:
        clean_up(request.deployment, aws, log)
    return {
        "outcome": plan.outcome,
        "endpoint_name": request.deployment.endpoint,
        "endpoint_config_name": plan.configuration,
    }


def _parse_request(event: Event) -> DeploymentRequest:
    deployment, queue = parse_deployment(event), event.optional_text(AWAIT_QUEUE_URL)
    if not queue:
        return DeploymentRequest(deployment)
    return DeploymentRequest(
        deployment, FollowUp(queue, event.text(AUTOSCALING_FUNCTION), event.json_object(AUTOSCALING))
    )


def _deploy_or_postpone(
    request: DeploymentRequest, retry: FollowUp, aws: Aws, budget: TimeBudget, log: Log
) -> DeploymentPlan:
    """Retries until the plan has an outcome. An approval comes only once: if time is up, a message repeats it."""
    try:
        return retry_until_done(lambda: _attempt(request, aws, log), budget, _REMEDY)
    except BusyError as busy:
        if request.follow_up is None:
            raise
        log.warning("is postponed until the endpoint is stable", why=str(busy))
        try:
            aws.execute(retry.message(request.deployment, OUTCOME_BUSY))
        except RetryableError:
            raise busy from None
        return DeploymentPlan(outcome=OUTCOME_BUSY, configuration=request.deployment.name)


def _attempt(request: DeploymentRequest, aws: Aws, log: Log) -> DeploymentPlan:
    """Reads the state, makes a plan and its calls; returns a plan with an outcome."""
    plan = make_plan(request, read_state(request.deployment, aws, with_served_package=request.follow_up is not None))
    warning = ""
    for call in plan.calls:
        log.info("calls", operation=call.operation, service=call.service, configuration=request.deployment.name)
        try:
            aws.execute(call)
        except RefusedError as refusal:
            remedy = "; ".join(filter(None, (refusal.remedy, warning)))
            raise RefusedError(refusal.cause, remedy, refusal.code) from refusal
        if call.operation == "deregister_scalable_target":
            warning = "until ConfigureAutoscaling has run again, nothing scales the endpoint"
    if plan.wait:
        log.info("waits", why=plan.wait)
        raise RetryableError(plan.wait)
    return plan


def make_plan(request: DeploymentRequest, state: CurrentState) -> DeploymentPlan:
    """Plans what to do in the current state."""
    deployment, endpoint = request.deployment, state.endpoint
    if state.package.get("ModelApprovalStatus") != "Approved":
        return DeploymentPlan(outcome=OUTCOME_NOT_APPROVED, configuration=deployment.name)
    if request.follow_up and _is_handled_elsewhere(request, state):
        return DeploymentPlan(
            outcome=OUTCOME_UNCHANGED, configuration=endpoint.target_configuration if endpoint else deployment.name
        )
    if endpoint is None:
        return _plan_creation(request, state)
    if endpoint.status == "Failed":
        return _plan_deletion(state, endpoint)
    return _plan_update(request, state, endpoint) if not endpoint.is_in_transition else _plan_wait(request, endpoint)


def _is_handled_elsewhere(request: DeploymentRequest, state: CurrentState) -> bool:
    """Returns whether the version was approved on creation, so its execution deploys it, or is served already."""
    created, changed = state.package.get("CreationTime"), state.package.get("LastModifiedTime")
    if state.endpoint is not None and state.endpoint.target_configuration == request.deployment.name:
        return False
    return changed is None or changed == created or state.served_package == request.deployment.package


def _plan_creation(request: DeploymentRequest, state: CurrentState) -> DeploymentPlan:
    deployment = request.deployment
    arguments = {"EndpointName": deployment.endpoint, "EndpointConfigName": deployment.name}
    call = AwsCall("sagemaker", "create_endpoint", {**arguments, "Tags": tag_list(deployment.tags)})
    return _plan_deployment(request, [*_prepare_resources(deployment, state, ""), call])


def _plan_update(request: DeploymentRequest, state: CurrentState, endpoint: EndpointState) -> DeploymentPlan:
    """Updates the endpoint; deregisters scaling first if it would block the update."""
    deployment = request.deployment
    if endpoint.configuration == deployment.name and endpoint.status == IN_SERVICE:
        return _plan_deployment(request, [], OUTCOME_UNCHANGED)
    arguments = {"EndpointName": deployment.endpoint, "EndpointConfigName": deployment.name}
    keeps_variant = (
        deployment.variant in endpoint.counts
    )  # keeps its number of instances, which scaling may have raised
    retained = (
        {"ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DataCaptureConfig"}]} if keeps_variant else {}
    )
    policy = {"RetainAllVariantProperties": keeps_variant, **retained, "DeploymentConfig": deployment.update}
    descaled = [
        variant
        for variant in state.scaled
        if variant != deployment.variant or state.instance_types.get(variant) != deployment.instance_type
    ]
    calls = [
        *_prepare_resources(
            deployment, state, endpoint.configuration if endpoint.configuration != deployment.name else ""
        ),
        *_deregister(endpoint, descaled),
        AwsCall("sagemaker", "update_endpoint", {**arguments, **policy}),
    ]
    return _plan_deployment(request, calls)


def _plan_deletion(state: CurrentState, endpoint: EndpointState) -> DeploymentPlan:
    """Deletes a failed endpoint, as SageMaker allows nothing else; the next attempt creates it again."""
    deletion = AwsCall("sagemaker", "delete_endpoint", {"EndpointName": endpoint.name})
    reason = f"endpoint {endpoint.name} had failed ({endpoint.reason or 'no reason given'}) and is being deleted"
    return DeploymentPlan((*_deregister(endpoint, state.scaled), deletion), wait=reason)


def _plan_wait(request: DeploymentRequest, endpoint: EndpointState) -> DeploymentPlan:
    """Waits for an operation of someone else; an operation for this very deployment is a success."""
    if endpoint.target_configuration == request.deployment.name and not endpoint.is_failed_or_deleting:
        return _plan_deployment(request, [])
    return DeploymentPlan(
        wait=f"endpoint {endpoint.name} is {endpoint.status}, with configuration {endpoint.target_configuration}"
    )


def _plan_deployment(
    request: DeploymentRequest, calls: Iterable[AwsCall], outcome: str = OUTCOME_DEPLOYING
) -> DeploymentPlan:
    messages = (request.follow_up.message(request.deployment, OUTCOME_DEPLOYING),) if request.follow_up else ()
    return DeploymentPlan((*calls, *messages), outcome, configuration=request.deployment.name, needs_cleanup=True)


def _prepare_resources(deployment: Deployment, state: CurrentState, previous: str) -> Iterable[AwsCall]:
    """Yields the calls for the model, the configuration and the alarms that do not exist yet."""
    if state.missing_alarms:
        raise RefusedError(
            f"there is no alarm named {state.missing_alarms[0]} in this account and region, and endpoint.alarms.extra "
            "names it",
            "make it, or take it out of settings",
        )
    tags = {**deployment.tags, **({TAG_PREVIOUS: previous} if previous else {})}
    if not state.has_model:
        arguments = {"ModelName": deployment.name, **deployment.model}
        yield AwsCall("sagemaker", "create_model", {**arguments, "Tags": tag_list(deployment.tags)})
    if not state.configuration_arn:
        variants = [
            {**variant, "ModelName": deployment.name} for variant in deployment.configuration["ProductionVariants"]
        ]
        arguments = {"EndpointConfigName": deployment.name, **deployment.configuration, "ProductionVariants": variants}
        yield AwsCall("sagemaker", "create_endpoint_config", {**arguments, "Tags": tag_list(tags)})
    elif previous:
        yield AwsCall("sagemaker", "add_tags", {"ResourceArn": state.configuration_arn, "Tags": tag_list(tags)})
    for alarm in deployment.alarms:
        yield AwsCall("cloudwatch", "put_metric_alarm", alarm)


def _deregister(endpoint: EndpointState, variants: Iterable[str]) -> Iterable[AwsCall]:
    for variant in variants:
        target = {**DIMENSION, "ResourceId": resource_id(endpoint.name, variant)}
        yield AwsCall("application-autoscaling", "deregister_scalable_target", target)
