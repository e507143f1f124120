"""Rules about training: whether the search is possible, and whether the script accepts its hyperparameters.

A hyperparameter has one value, or, if it is tuned, any of a range: a rule holds for every value that it can have.
"""

from __future__ import annotations

from collections.abc import Iterator

from entrypoints import contract, hyperparameters
from pedigree.aws.machines import has_bfloat16, processor
from pedigree.aws.networks import DEFAULT, NETWORKS, sizes
from pedigree.language.near import suggest
from pedigree.language.text import brief
from pipeline.settings.rules import Problem
from pipeline.settings.tree import Settings
from steps.ranges import Categorical, Continuous, grid_points
from steps.training_job import MachineConfig, TrainingConfig
from steps.tune import MOST_JOBS

NEVER_TUNED = ("epochs", "seed", "weights")


def parallel_jobs(s: Settings) -> Iterator[Problem]:
    """No more jobs at once than in all."""
    key, parallel = "tuning.parallel_jobs", s.tuning.parallel_jobs
    if s.tuning.strategy == "Grid":
        points = grid_points(s.tuning.ranges)
        if parallel > points:
            cause = f"= {parallel} is above the grid's {points} points"
            yield Problem(key, cause, "lower it", ("tuning.ranges", "tuning.strategy"))
    elif parallel > s.tuning.max_jobs:
        cause = f"= {parallel} is above max_jobs = {s.tuning.max_jobs}"
        yield Problem(key, cause, "lower it or raise max_jobs", ("tuning.max_jobs",))


def grid(s: Settings) -> Iterator[Problem]:
    """A grid has points, and not too many."""
    if s.tuning.strategy != "Grid":
        return
    points = grid_points(s.tuning.ranges)
    if not all(isinstance(values, Categorical) for values in s.tuning.ranges.values()):
        cause, remedy = '= "Grid" takes categorical ranges only', "make every range categorical, or use Bayesian"
        yield Problem("tuning.strategy", cause, remedy, ("tuning.ranges",))
    elif points > MOST_JOBS:
        cause = f"make {points} grid points, and a search has {MOST_JOBS} jobs at most"
        yield Problem("tuning.ranges", cause, "name fewer", ("tuning.strategy",))


def hyperband(s: Settings) -> Iterator[Problem]:
    """Hyperband stops jobs itself, between two numbers of epochs."""
    least, most = s.tuning.hyperband_min_epochs, s.training.epochs
    if s.tuning.strategy == "Hyperband" and s.tuning.early_stopping != "Off":
        cause = '= "Auto" does not go with Hyperband, which stops jobs itself'
        yield Problem("tuning.early_stopping", cause, "use Off", ("tuning.strategy",))
    if s.tuning.strategy == "Hyperband" and least >= most:
        cause = f"= {least} is not below training.epochs = {most}"
        yield Problem("tuning.hyperband_min_epochs", cause, "lower it", ("training.epochs", "tuning.strategy"))


def spot(s: Settings) -> Iterator[Problem]:
    """Spot machines take time to come, and are not kept warm."""
    longest = max(s.training.max_runtime_seconds, s.distributed.max_runtime_seconds if s.distributed.enabled else 0)
    if s.training.spot and s.training.warm_pool_seconds:
        cause, remedy = "does not go with spot", "set it to 0, or spot = false"
        yield Problem("training.warm_pool_seconds", cause, remedy, ("training.spot",))
    if s.training.spot and s.training.max_wait_seconds < longest:
        cause = f"= {s.training.max_wait_seconds} is shorter than the {longest} s that training may run"
        yield Problem("training.max_wait_seconds", cause, "raise it", ("training.max_runtime_seconds",))


def isolation(s: Settings) -> Iterator[Problem]:
    """With network isolation everything comes from S3."""
    in_s3 = {
        "data.source": s.data.source.startswith("s3://"),
        "training.weights": s.training.weights == contract.WEIGHTS_NONE or s.training.weights.startswith("s3://"),
    }
    keys = tuple(key for key, available in in_s3.items() if not available)
    if s.site.network.isolation and keys:
        cause = f"= true removes the network that {' and '.join(keys)} would be fetched by"
        yield Problem("site.network.isolation", cause, "write s3://… there", keys)


def tuned_names(s: Settings) -> Iterator[Problem]:
    """A range is for a hyperparameter of the script that may differ from trial to trial."""
    for name in s.tuning.ranges:
        key = f"tuning.ranges.{name}"
        if name not in hyperparameters.NAMES:
            yield _unknown(key, name)
        elif name in NEVER_TUNED:
            yield Problem(key, "is fixed for an execution and cannot be tuned", "remove the range")


def tuned_types(s: Settings) -> Iterator[Problem]:
    """A range of numbers is for numbers, and one with fractions for those that can have them."""
    for name, values in s.tuning.ranges.items():
        word, whole = name in hyperparameters.WORDS, hyperparameters.NUMBERS.get(name, (float,))[0] is int
        if not isinstance(values, Categorical) and (word or (whole and isinstance(values, Continuous))):
            cause = f"is {values.type}, and {contract.TRAIN} does not accept such a range"
            yield Problem(
                f"tuning.ranges.{name}", cause, f"make it {'categorical' if word else 'integer or categorical'}"
            )


def tuned_values(s: Settings) -> Iterator[Problem]:
    """The script accepts every value of a range."""
    for name, ranged in s.tuning.ranges.items():
        members = (
            {"values": ranged.values}
            if isinstance(ranged, Categorical)
            else {"min": (ranged.min,), "max": (ranged.max,)}
        )
        for member, values in members.items():
            refused = [(value, *reason) for value in values for reason in _refusal(name, value)]
            if refused:
                value, cause, remedy = refused[0]
                yield Problem(f"tuning.ranges.{name}.{member}", f"has {brief(value)}, {cause}", remedy)
                break


def fixed_values(s: Settings) -> Iterator[Problem]:
    """A fixed value is of a hyperparameter of the script, is set in one place, and is one that the script accepts."""
    for name, value in s.training.hyperparameters.items():
        key = f"training.hyperparameters.{name}"
        if name not in hyperparameters.NAMES:
            yield _unknown(key, name)
        elif name in TrainingConfig.model_fields:
            yield Problem(key, "has a key of its own", f"set training.{name} instead")
        else:
            yield from (Problem(key, f"= {brief(value)}, {cause}", remedy) for cause, remedy in _refusal(name, value))


def network_exists(s: Settings) -> Iterator[Problem]:
    """torchvision has the network."""
    for cause, remedy in _refusal("architecture", s.training.architecture):
        yield Problem("training.architecture", f"= {brief(s.training.architecture)}, {cause}", remedy)


def weights_exist(s: Settings) -> Iterator[Problem]:
    """torchvision has the weights, for every network that may be trained."""
    weights = s.training.weights
    if weights in (DEFAULT, contract.WEIGHTS_NONE) or weights.startswith("s3://"):
        return
    for network in possible_values(s, "architecture"):
        if weights not in NETWORKS.get(str(network), (weights,)):
            offered = ", ".join((*NETWORKS[str(network)], DEFAULT))
            related = ("training.architecture", "tuning.ranges.architecture")
            cause = f'= "{weights}" does not exist for {network}'
            yield Problem("training.weights", cause, f"write {offered}, none or s3://…", related)


def images_fit_the_network(s: Settings) -> Iterator[Problem]:
    """Some networks take images of one size only, and some none below a size."""
    for network in possible_values(s, "architecture"):
        least, most = sizes(str(network), s.training.weights)
        if not least <= s.data.image_size <= most:
            accepted = f"{least}" if least == most else f"{least} or more"
            related = ("training.architecture", "training.weights", "tuning.ranges.architecture")
            cause = f"= {s.data.image_size}, and {network} takes {accepted}"
            yield Problem("data.image_size", cause, "write that", related)


def untrained_backbone(s: Settings) -> Iterator[Problem]:
    """A backbone that is not trained here has weights of a training elsewhere."""
    if "head" in possible_values(s, "layers") and s.training.weights == contract.WEIGHTS_NONE:
        cause, remedy = '= "head" would train on a network of random weights', 'use layers = "all", or give weights'
        yield Problem("training.layers", cause, remedy, ("training.weights", "tuning.ranges.layers"))


def machines_compute_the_precision(s: Settings) -> Iterator[Problem]:
    """The machines compute in every precision that may be used."""
    sections: dict[str, MachineConfig] = {
        "training": s.training,
        **({"distributed": s.distributed} if s.distributed.enabled else {}),
    }
    for section, config in sections.items():
        for machine in (config.instance_type, *config.alternatives):
            impossible = {"bf16": not has_bfloat16(machine), "fp16": processor(machine) != "gpu"}
            for precision in possible_values(s, "precision"):
                if impossible.get(str(precision)):
                    cause = f'= "{precision}" is not computed by {machine}'
                    related = (f"{section}.instance_type", f"{section}.alternatives", "tuning.ranges.precision")
                    yield Problem("training.precision", cause, "use auto or fp32, or another machine", related)


def possible_values(s: Settings, name: str) -> tuple[object, ...]:
    """The values that a hyperparameter with a key of its own can have."""
    tuned = s.tuning.ranges.get(name)
    return tuned.values if isinstance(tuned, Categorical) else (getattr(s.training, name),)


def _refusal(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Why the script refuses a value, and what it accepts; nothing if it accepts the value."""
    if name in hyperparameters.NUMBERS:
        number, least, most = hyperparameters.NUMBERS[name]
        fits = isinstance(value, int) or (number is float and isinstance(value, float))
        if not fits or not least <= float(str(value)) <= most:
            accepted = "a whole number" if number is int else "a number"
            yield f"and {contract.TRAIN} takes {accepted} from {least:g} to {most:g}", "write one"
    elif name in hyperparameters.WORDS:
        choices = NETWORKS if name == "architecture" else hyperparameters.WORDS[name]
        if choices and value not in choices:
            yield f"and {contract.TRAIN} does not know it", suggest(str(value), choices)


def _unknown(key: str, name: str) -> Problem:
    return Problem(key, f"is no hyperparameter of {contract.TRAIN}", suggest(name, hyperparameters.NAMES))


RULES = (
    parallel_jobs,
    grid,
    hyperband,
    spot,
    isolation,
    tuned_names,
    tuned_types,
    tuned_values,
    fixed_values,
    network_exists,
    weights_exist,
    images_fit_the_network,
    untrained_backbone,
    machines_compute_the_precision,
)
