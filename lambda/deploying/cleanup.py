"""What earlier deployments made and nobody needs any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from deploying.deployment import TAG_PREVIOUS, Serving, alarm_names, common, is_of
from shared import endpoint as endpoints
from shared.aws import Aws, Call
from shared.errors import NotYetError, RefusedError
from shared.log import Log

KEPT = 5


def tidy(serving: Serving, aws: Aws, log: Log) -> None:
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
    return served | {tag["Value"] for tag in tags if tag["Key"] == TAG_PREVIOUS}
