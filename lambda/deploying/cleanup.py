"""Removes what earlier deployments created and nothing uses now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from deploying.deployment import TAG_PREVIOUS, Deployment, alarm_names, belongs_to, name_prefix
from shared import endpoint as endpoints
from shared.aws import Aws, AwsCall
from shared.errors import RefusedError, RetryableError
from shared.log import Log

KEPT_COUNT = 5


def clean_up(deployment: Deployment, aws: Aws, log: Log) -> None:
    """Removes unused resources; what fails now is left for the next deployment."""
    try:
        for call in (*_stale_alarms(deployment, aws), *_stale_resources(deployment, aws)):
            log.info("removes", operation=call.operation, what=next(iter(call.arguments.values())))
            aws.execute(call)
    except (RetryableError, RefusedError) as error:
        log.warning("unused resources are left for the next deployment", why=str(error))


def _stale_alarms(deployment: Deployment, aws: Aws) -> Iterable[AwsCall]:
    needed = {*(alarm["AlarmName"] for alarm in deployment.alarms), *deployment.extra_alarms}
    stale = [name for name in alarm_names(deployment.endpoint) if name not in needed]
    existing = aws.call("cloudwatch", "describe_alarms", AlarmNames=stale).get("MetricAlarms", ()) if stale else ()
    if existing:
        yield AwsCall("cloudwatch", "delete_alarms", {"AlarmNames": [alarm["AlarmName"] for alarm in existing]})


def _stale_resources(deployment: Deployment, aws: Aws) -> Iterable[AwsCall]:
    """Yields deletions of older configurations and models; keeps those in use, and those a rollback needs."""
    newest_first = {
        "NameContains": name_prefix(deployment.endpoint),
        "SortBy": "CreationTime",
        "SortOrder": "Descending",
    }
    configurations = {
        summary["EndpointConfigName"]: summary["EndpointConfigArn"]
        for summary in aws.paginate("sagemaker", "list_endpoint_configs", "EndpointConfigs", **newest_first)
        if belongs_to(deployment.endpoint, summary["EndpointConfigName"])
    }
    models = [summary["ModelName"] for summary in aws.paginate("sagemaker", "list_models", "Models", **newest_first)]
    own_models = [name for name in models if belongs_to(deployment.endpoint, name)]
    retained = {*list(configurations)[:KEPT_COUNT], deployment.name}
    if retained >= {*configurations, *own_models}:
        return
    retained |= _configurations_in_use(deployment.endpoint, configurations, aws)
    for name in configurations:
        if name not in retained:
            yield AwsCall("sagemaker", "delete_endpoint_config", {"EndpointConfigName": name})
    for model in own_models[KEPT_COUNT:]:
        if model not in retained:
            yield AwsCall("sagemaker", "delete_model", {"ModelName": model})


def _configurations_in_use(name: str, configurations: Mapping[str, str], aws: Aws) -> set[str]:
    """Returns what the endpoint serves and will serve, and the configurations before each of them."""
    endpoint = endpoints.find(aws, name)
    retained = {endpoint.configuration, endpoint.target_configuration} if endpoint else set()
    tags = (
        tag
        for summary in sorted(retained & set(configurations))
        for tag in aws.paginate("sagemaker", "list_tags", "Tags", ResourceArn=configurations[summary])
    )
    return retained | {tag["Value"] for tag in tags if tag["Key"] == TAG_PREVIOUS}
