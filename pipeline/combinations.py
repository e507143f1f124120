"""Settings that are right one by one and cannot go together: what AWS would say twenty minutes later, or never.

One rule, one function: it yields a problem for the key that is to be changed, with the cause and what to do instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from entrypoints import contract
from pipeline import parameters
from pipeline.settings import Settings
from steps import images
from steps.build import image_for
from steps.instances import SMDDP_TYPES, has_bfloat16, is_burstable, processor
from steps.ranges import Categorical, Continuous, combinations

WITH_A_KEY_OF_THEIR_OWN = ("architecture", "epochs", "layers", "precision", "seed", "weights")
NEVER_TUNED = ("epochs", "seed", "weights")


@dataclass(frozen=True)
class Problem:
    """A key, and what is wrong with it."""

    key: str
    text: str


Rule = Callable[[Settings], Iterator[Problem]]


def impossible(settings: Settings) -> list[Problem]:
    """Every combination that cannot work; of several about one key, or the section around it, the first."""
    found: list[Problem] = []
    for problem in (problem for rule in RULES for problem in rule(settings)):
        if not any(f"{one.key}.".startswith(f"{problem.key}.") for one in found):
            found.append(problem)
    return found


def _smddp_machines(s: Settings) -> Iterator[Problem]:
    chosen = s.distributed
    if chosen.enabled and chosen.launcher == "smddp" and chosen.instance_type not in SMDDP_TYPES:
        machines = " and ".join(SMDDP_TYPES)
        yield Problem(
            "distributed.instance_type",
            f'= "{chosen.instance_type}" has no smddp, which runs on {machines} only; '
            'use one of them, or launcher = "torchrun"',
        )


def _smddp_image(s: Settings) -> Iterator[Problem]:
    if s.distributed.enabled and s.distributed.launcher == "smddp" and not s.images.distributed.has_smddp:
        yield Problem(
            "images.distributed.version",
            f'= "{s.images.distributed.version}" has no smddp library, gone from AWS\'s images since 2.6; '
            'use 2.5.1, or distributed.launcher = "torchrun"',
        )


def _debugger_image(s: Settings) -> Iterator[Problem]:
    if s.debugger.enabled and not s.images.training.has_smdebug:
        yield Problem(
            "images.training.version",
            f'= "{s.images.training.version}" has no smdebug library, gone from AWS\'s images since 2.1; '
            'use 2.0.1 with python = "py310", or debugger.enabled = false',
        )


def _debugger_region(s: Settings) -> Iterator[Problem]:
    if s.debugger.enabled and s.debugger.rules:
        try:
            images.debugger_rules(s.site.region)
        except ValueError:
            yield Problem("debugger.rules", f"have no image that evaluates them in {s.site.region}; use rules = []")


def _images_exist(s: Settings) -> Iterator[Problem]:
    uses = [("training", s.processing.instance_type), ("training", s.training.instance_type)]
    uses += [("distributed", s.distributed.instance_type)] if s.distributed.enabled else []
    uses += [("inference", instance_type) for instance_type in s.registry.inference_instance_types]
    for family, instance_type in uses:
        try:
            image_for(s.images, family, instance_type, s.site.region)
        except ValueError as error:
            yield Problem(f"images.{family}", f"cannot run on {instance_type}: {error}")


def _serving_machines(s: Settings) -> Iterator[Problem]:
    types = s.registry.inference_instance_types
    if s.endpoint.instance_type not in types:
        yield Problem(
            "endpoint.instance_type",
            f'= "{s.endpoint.instance_type}" is not among registry.inference_instance_types, '
            "and a registered model runs on no other; add it there",
        )
    if len({processor(one) for one in types}) > 1:
        yield Problem(
            "registry.inference_instance_types",
            "mixes machines with and without a GPU, and one image serves all of them; name machines of one kind",
        )


def _burstable_endpoint(s: Settings) -> Iterator[Problem]:
    scales = s.autoscaling.min_capacity < s.autoscaling.max_capacity
    if is_burstable(s.endpoint.instance_type) and scales:
        yield Problem(
            "endpoint.instance_type",
            f'= "{s.endpoint.instance_type}" is burstable, and Application Auto Scaling refuses those; '
            "use ml.m5.large, or autoscaling.max_capacity equal to min_capacity",
        )


def _instances_within_scaling(s: Settings) -> Iterator[Problem]:
    low, high, count = s.autoscaling.min_capacity, s.autoscaling.max_capacity, s.endpoint.instance_count
    if not low <= count <= high:
        yield Problem(
            "endpoint.instance_count", f"= {count} lies outside of autoscaling's {low} to {high}; bring it within"
        )


def _parallel_jobs(s: Settings) -> Iterator[Problem]:
    if s.tuning.parallel_jobs > s.tuning.max_jobs and s.tuning.strategy != "Grid":
        yield Problem(
            "tuning.parallel_jobs",
            f"= {s.tuning.parallel_jobs} is above max_jobs = {s.tuning.max_jobs}; lower it or raise max_jobs",
        )


def _strategy(s: Settings) -> Iterator[Problem]:
    kinds = {type(one) for one in s.tuning.ranges.values()}
    if s.tuning.strategy == "Grid" and kinds != {Categorical}:
        yield Problem(
            "tuning.strategy", '= "Grid" takes categorical ranges only; make every range categorical, or use Bayesian'
        )
    if s.tuning.strategy == "Grid" and combinations(s.tuning.ranges) > 750:
        yield Problem(
            "tuning.ranges",
            f"make {combinations(s.tuning.ranges)} grid points, and a search has 750 jobs at most; name fewer",
        )
    if s.tuning.strategy == "Hyperband" and s.tuning.early_stopping != "Off":
        yield Problem("tuning.early_stopping", '= "Auto" cannot be with Hyperband, which stops jobs itself; use Off')
    if s.tuning.strategy == "Hyperband" and s.tuning.hyperband_min_epochs >= s.training.epochs:
        yield Problem(
            "tuning.hyperband_min_epochs",
            f"= {s.tuning.hyperband_min_epochs} is not below training.epochs = {s.training.epochs}; lower it",
        )


def _tuned_hyperparameters(s: Settings) -> Iterator[Problem]:
    for name, one in s.tuning.ranges.items():
        kind = contract.HYPERPARAMETERS.get(name)
        if kind is None:
            yield Problem(
                f"tuning.ranges.{name}", f"is no hyperparameter of {contract.TRAIN}; {_known_hyperparameters(name)}"
            )
        elif name in NEVER_TUNED:
            yield Problem(f"tuning.ranges.{name}", "is fixed for an execution and cannot be tuned; remove the range")
        elif not isinstance(one, Categorical) and (kind is str or (kind is int and isinstance(one, Continuous))):
            fitting = "categorical" if kind is str else "integer or categorical"
            yield Problem(
                f"tuning.ranges.{name}",
                f"is {one.type}, and {contract.TRAIN} does not take such values; make it {fitting}",
            )


def _categorical_values(s: Settings) -> Iterator[Problem]:
    for name, one in s.tuning.ranges.items():
        kind = contract.HYPERPARAMETERS.get(name, str)
        wrong = [value for value in one.values if not _fits(value, kind)] if isinstance(one, Categorical) else []
        if wrong:
            yield Problem(
                f"tuning.ranges.{name}.values",
                f"has {_shown(wrong[0])}, and {contract.TRAIN} takes {_NAMES[kind]}; mend it",
            )


def _fixed_hyperparameters(s: Settings) -> Iterator[Problem]:
    for name, value in s.training.hyperparameters.items():
        key, kind = f"training.hyperparameters.{name}", contract.HYPERPARAMETERS.get(name)
        if kind is None:
            yield Problem(key, f"is no hyperparameter of {contract.TRAIN}; {_known_hyperparameters(name)}")
        elif name in WITH_A_KEY_OF_THEIR_OWN:
            yield Problem(key, f"has a key of its own; set training.{name} instead")
        elif not _fits(value, kind):
            yield Problem(key, f"= {_shown(value)} is of the wrong kind; write {_NAMES[kind]}")


def _untrained_backbone(s: Settings) -> Iterator[Problem]:
    if s.training.layers == "head" and s.training.weights == contract.WEIGHTS_NONE:
        yield Problem(
            "training.layers",
            '= "head" would train on a network of random weights; use layers = "all", or give weights',
        )


def _precision(s: Settings) -> Iterator[Problem]:
    if s.training.precision == "bf16" and not has_bfloat16(s.training.instance_type):
        yield Problem(
            "training.precision",
            f'= "bf16" is not computed by {s.training.instance_type}; use auto or fp16, or ml.g5.xlarge',
        )


def _spot(s: Settings) -> Iterator[Problem]:
    longest = max(s.training.max_runtime_seconds, s.distributed.max_runtime_seconds if s.distributed.enabled else 0)
    if s.training.spot and s.training.warm_pool_seconds:
        yield Problem("training.warm_pool_seconds", "cannot be with spot; set it to 0, or spot = false")
    if s.training.spot and s.training.max_wait_seconds < longest:
        yield Problem(
            "training.max_wait_seconds",
            f"= {s.training.max_wait_seconds} is shorter than the {longest} s that training may run; raise it",
        )


def _isolation(s: Settings) -> Iterator[Problem]:
    if not s.site.network.isolation:
        return
    if not s.data.source.startswith("s3://"):
        yield Problem(
            "data.source", "is fetched by network, which site.network.isolation shuts; copy it to S3 and write s3://…"
        )
    if s.training.weights != contract.WEIGHTS_NONE and not s.training.weights.startswith("s3://"):
        yield Problem(
            "training.weights",
            f'= "{s.training.weights}" is fetched by network, which site.network.isolation shuts; use s3://… or none',
        )


def _encryption_region(s: Settings) -> Iterator[Problem]:
    for name in ("output_key", "volume_key"):
        key = getattr(s.site.encryption, name)
        if key and key.split(":")[3] != s.site.region:
            yield Problem(
                f"site.encryption.{name}",
                f"lies in {key.split(':')[3]}, and a key works in its own region only; use one in {s.site.region}",
            )


def _functions(s: Settings) -> Iterator[Problem]:
    predict, waiting = s.functions.predict, s.functions.await_
    if predict.provisioned_concurrency > predict.reserved_concurrency > 0:
        yield Problem(
            "functions.predict.provisioned_concurrency",
            f"= {predict.provisioned_concurrency} is above "
            f"reserved_concurrency = {predict.reserved_concurrency}; lower it",
        )
    if waiting.poll_seconds < waiting.timeout_seconds:
        yield Problem(
            "functions.await.poll_seconds",
            f"= {waiting.poll_seconds} is shorter than the function's "
            f"timeout_seconds = {waiting.timeout_seconds}; raise it",
        )


def _scheduled_values(s: Settings) -> Iterator[Problem]:
    declared = {parameter.name: parameter for parameter in parameters.declare(s)}
    for name, value in s.schedule.parameters.items():
        key = f"schedule.parameters.{name}"
        if name not in declared:
            yield Problem(key, f"is no parameter of this pipeline; {_choice(name, declared)}")
        elif not _fits(value, type(declared[name].default)):
            yield Problem(key, f"= {_shown(value)} is of the wrong kind; write {_NAMES[type(declared[name].default)]}")
        elif declared[name].choices and value not in declared[name].choices:
            yield Problem(key, f"= {_shown(value)} is none of its choices; write {' or '.join(declared[name].choices)}")


_NAMES = {int: "a whole number", float: "a number", str: "text in quotes"}


def _fits(value: object, kind: type) -> bool:
    """Whether a value can stand where that kind is asked for; a whole number is a number, too."""
    return isinstance(value, (int, float) if kind is float else kind)


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _known_hyperparameters(name: str) -> str:
    return _choice(name, contract.HYPERPARAMETERS)


def _choice(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"


RULES: tuple[Rule, ...] = (
    _smddp_machines,
    _smddp_image,
    _debugger_image,
    _debugger_region,
    _images_exist,
    _burstable_endpoint,
    _serving_machines,
    _instances_within_scaling,
    _parallel_jobs,
    _strategy,
    _tuned_hyperparameters,
    _categorical_values,
    _fixed_hyperparameters,
    _untrained_backbone,
    _precision,
    _spot,
    _isolation,
    _encryption_region,
    _functions,
    _scheduled_values,
)
