"""Rules about what lives in the account: the endpoint and its scaling, keys, functions and the schedule."""

from __future__ import annotations

from collections.abc import Iterator

from pedigree.aws import regions
from pedigree.aws.machines import is_burstable
from pedigree.language.near import suggest
from pedigree.language.text import brief
from pipeline.settings import parameters
from pipeline.settings.rules import Problem
from pipeline.settings.tree import Settings
from steps.deploy_endpoint import shortest_update
from steps.functions import MOST_RECEIVES


def burstable_endpoint(s: Settings) -> Iterator[Problem]:
    """Application Auto Scaling refuses burstable machines."""
    if s.autoscaling.min_capacity == s.autoscaling.max_capacity:
        return
    machines = {
        "endpoint.instance_type": (s.endpoint.instance_type,),
        "registry.inference_instance_types": s.registry.inference_instance_types,
    }
    for key, instance_types in machines.items():
        burstable = next(filter(is_burstable, instance_types), None)
        if burstable:
            cause = f'= "{burstable}" is burstable, and Application Auto Scaling refuses those'
            yield Problem(key, cause, "use ml.m5.large, or autoscaling.max_capacity equal to min_capacity")


def endpoint_is_registered(s: Settings) -> Iterator[Problem]:
    """A registered model runs on the machines that it was registered for."""
    if s.endpoint.instance_type not in s.registry.inference_instance_types:
        yield Problem(
            "endpoint.instance_type",
            f'= "{s.endpoint.instance_type}" is not among registry.inference_instance_types, '
            "and a registered model runs on no other",
            "add it there",
            ("registry.inference_instance_types",),
        )


def instances_within_scaling(s: Settings) -> Iterator[Problem]:
    """The endpoint starts within the bounds of its scaling."""
    least, most, count = s.autoscaling.min_capacity, s.autoscaling.max_capacity, s.endpoint.instance_count
    if not least <= count <= most:
        cause = f"= {count} is outside of autoscaling's {least} to {most}"
        related = ("autoscaling.min_capacity", "autoscaling.max_capacity")
        yield Problem("endpoint.instance_count", cause, "bring it within", related)


def shifting_needs_two_instances(s: Settings) -> Iterator[Problem]:
    """A canary or a linear step is at most half of the instances, so there must be two."""
    fewest = min(s.endpoint.instance_count, s.autoscaling.min_capacity)
    if s.endpoint.update.policy != "all-at-once" and fewest < 2:
        yield Problem(
            "endpoint.update.policy",
            f'= "{s.endpoint.update.policy}" moves part of the traffic, and the endpoint may have {fewest} instance',
            "use all-at-once, or let endpoint.instance_count and autoscaling.min_capacity be 2 or more",
            ("endpoint.instance_count", "autoscaling.min_capacity"),
        )


def update_has_time(s: Settings) -> Iterator[Problem]:
    """An update can take as long as its waits, and the pipeline waits as long as an update can take."""
    update, give_up_minutes = s.endpoint.update, s.functions.await_.give_up_minutes
    if update.timeout_seconds <= shortest_update(update):
        cause = f"= {update.timeout_seconds} is over before the waits are, {shortest_update(update)} s"
        yield Problem("endpoint.update.timeout_seconds", cause, "raise it, or wait less", ("endpoint.update",))
    if give_up_minutes * 60 < update.timeout_seconds:
        yield Problem(
            "functions.await.give_up_minutes",
            f"= {give_up_minutes} ends before endpoint.update.timeout_seconds does",
            f"write {-(-update.timeout_seconds // 60)} or more",
            ("endpoint.update.timeout_seconds",),
        )


def keys_are_of_the_region(s: Settings) -> Iterator[Problem]:
    """A KMS key works in its own partition and region only."""
    home = f"arn:{regions.partition(s.site.region)}:kms:{s.site.region}:"
    for name in ("output_key", "volume_key"):
        key = getattr(s.site.encryption, name)
        if key and not key.startswith(home):
            cause = "is in another region, and a key works in its own region only"
            yield Problem(f"site.encryption.{name}", cause, f"use one that begins with {home}", ("site.region",))


def concurrency(s: Settings) -> Iterator[Problem]:
    """Provisioned concurrency is part of the reserved one."""
    reserved, provisioned = s.functions.predict.reserved_concurrency, s.functions.predict.provisioned_concurrency
    if provisioned > reserved > 0:
        yield Problem(
            "functions.predict.provisioned_concurrency",
            f"= {provisioned} is above reserved_concurrency = {reserved}",
            "lower it",
            ("functions.predict.reserved_concurrency",),
        )


def polling(s: Settings) -> Iterator[Problem]:
    """The visibility time-out is longer than the function runs, and SQS can count all receives of a message."""
    config = s.functions.await_
    if config.poll_seconds < config.timeout_seconds:
        cause = f"= {config.poll_seconds} is shorter than the function's timeout_seconds = {config.timeout_seconds}"
        yield Problem("functions.await.poll_seconds", cause, "raise it", ("functions.await.timeout_seconds",))
    elif config.poll_seconds * MOST_RECEIVES < config.give_up_minutes * 60:
        yield Problem(
            "functions.await.poll_seconds",
            f"= {config.poll_seconds} polls more than {MOST_RECEIVES} times in {config.give_up_minutes} minutes",
            f"write {-(-config.give_up_minutes * 60 // MOST_RECEIVES)} or more",
            ("functions.await.give_up_minutes",),
        )


def scheduled_values(s: Settings) -> Iterator[Problem]:
    """A schedule gives values to existing parameters, of their type and among their choices."""
    declared = {parameter.name: parameter for parameter in parameters.declare(s)}
    for name, value in s.schedule.parameters.items():
        key = f"schedule.parameters.{name}"
        if name not in declared:
            yield Problem(key, "is no parameter of this pipeline", suggest(name, declared))
        elif not declared[name].accepts(value):
            yield Problem(key, f"= {brief(value)} has the wrong type", f"write {declared[name].type_name}")
        elif declared[name].choices and value not in declared[name].choices:
            remedy = f"write {' or '.join(declared[name].choices)}"
            yield Problem(key, f"= {brief(value)} is not one of its choices", remedy)


RULES = (
    burstable_endpoint,
    endpoint_is_registered,
    instances_within_scaling,
    shifting_needs_two_instances,
    update_has_time,
    keys_are_of_the_region,
    concurrency,
    polling,
    scheduled_values,
)
