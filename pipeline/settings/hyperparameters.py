"""Rules about hyperparameters: whether the training script would take what settings tune, fix and choose.

A hyperparameter can have one value, or, where it is tuned, any of a range: a rule holds for every value that it can
have.
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
from steps.ranges import Categorical, Continuous
from steps.training_job import Machine, Training

NEVER_TUNED = ("epochs", "seed", "weights")


def tuned_names(s: Settings) -> Iterator[Problem]:
    """A range is for a hyperparameter that the script has, and that may differ from trial to trial."""
    for name in s.tuning.ranges:
        if name not in hyperparameters.NAMES:
            yield Problem(f"tuning.ranges.{name}", f"is no hyperparameter of {contract.TRAIN}; {_known(name)}")
        elif name in NEVER_TUNED:
            yield Problem(f"tuning.ranges.{name}", "is fixed for an execution and cannot be tuned; remove the range")


def tuned_kinds(s: Settings) -> Iterator[Problem]:
    """A range of numbers is for numbers, and one with fractions for those that may have them."""
    for name, one in s.tuning.ranges.items():
        word, whole = name in hyperparameters.WORDS, hyperparameters.NUMBERS.get(name, (float,))[0] is int
        if not isinstance(one, Categorical) and (word or (whole and isinstance(one, Continuous))):
            fitting = "categorical" if word else "integer or categorical"
            yield Problem(
                f"tuning.ranges.{name}", f"is {one.type}, and {contract.TRAIN} takes none such; make it {fitting}"
            )


def tuned_values(s: Settings) -> Iterator[Problem]:
    """Every value of a range is one that the script takes."""
    for name, one in s.tuning.ranges.items():
        key = f"tuning.ranges.{name}"
        places = {"values": one.values} if isinstance(one, Categorical) else {"min": (one.min,), "max": (one.max,)}
        for part, values in places.items():
            wrong = [(value, cause) for value in values for cause in _refusal(name, value)]
            if wrong:
                yield Problem(f"{key}.{part}", f"has {brief(wrong[0][0])}, {wrong[0][1]}")
                break


def fixed_values(s: Settings) -> Iterator[Problem]:
    """What is fixed is a hyperparameter of the script, in the place where it is set, with a value that it takes."""
    for name, value in s.training.hyperparameters.items():
        key = f"training.hyperparameters.{name}"
        if name not in hyperparameters.NAMES:
            yield Problem(key, f"is no hyperparameter of {contract.TRAIN}; {_known(name)}")
        elif name in Training.model_fields:
            yield Problem(key, f"has a key of its own; set training.{name} instead")
        else:
            yield from (Problem(key, f"= {brief(value)}, {cause}") for cause in _refusal(name, value))


def network_exists(s: Settings) -> Iterator[Problem]:
    """torchvision has the network."""
    for cause in _refusal("architecture", s.training.architecture):
        yield Problem("training.architecture", f"= {brief(s.training.architecture)}, {cause}")


def weights_exist(s: Settings) -> Iterator[Problem]:
    """torchvision has the weights, for every network that may be trained."""
    chosen = s.training.weights
    if chosen in (DEFAULT, contract.WEIGHTS_NONE) or chosen.startswith("s3://"):
        return
    for network in possible(s, "architecture"):
        if chosen not in NETWORKS.get(str(network), (chosen,)):
            offered = ", ".join((*NETWORKS[str(network)], DEFAULT))
            key, also = "training.weights", ("training.architecture", "tuning.ranges.architecture")
            yield Problem(key, f'= "{chosen}" does not exist for {network}; write {offered}, none or s3://…', also)


def images_fit_the_network(s: Settings) -> Iterator[Problem]:
    """Some networks see pictures of one size only, and some none below a size."""
    for network in possible(s, "architecture"):
        least, most = sizes(str(network), s.training.weights)
        if not least <= s.data.image_size <= most:
            what = f"{least}" if least == most else f"{least} or more"
            also = ("training.architecture", "training.weights", "tuning.ranges.architecture")
            yield Problem("data.image_size", f"= {s.data.image_size}, and {network} takes {what}; write that", also)


def untrained_backbone(s: Settings) -> Iterator[Problem]:
    """Somebody has trained what is not trained here."""
    if "head" in possible(s, "layers") and s.training.weights == contract.WEIGHTS_NONE:
        text = '= "head" would train on a network of random weights; use layers = "all", or give weights'
        yield Problem("training.layers", text, ("training.weights", "tuning.ranges.layers"))


def precision_is_computed(s: Settings) -> Iterator[Problem]:
    """The machines compute in every precision that is asked for."""
    sections: dict[str, Machine] = {
        "training": s.training,
        **({"distributed": s.distributed} if s.distributed.enabled else {}),
    }
    for section, config in sections.items():
        for machine in (config.instance_type, *config.alternatives):
            wrong = {"bf16": not has_bfloat16(machine), "fp16": processor(machine) != "gpu"}
            for precision in possible(s, "precision"):
                if wrong.get(str(precision)):
                    text = f'= "{precision}" is not computed by {machine}; use auto or fp32, or another machine'
                    also = (f"{section}.instance_type", f"{section}.alternatives", "tuning.ranges.precision")
                    yield Problem("training.precision", text, also)


def possible(s: Settings, name: str) -> tuple[object, ...]:
    """The values that a hyperparameter with a key of its own can have."""
    one = s.tuning.ranges.get(name)
    return one.values if isinstance(one, Categorical) else (getattr(s.training, name),)


def _refusal(name: str, value: object) -> Iterator[str]:
    """Why the script would not take a value, and what it takes."""
    if name in hyperparameters.NUMBERS:
        kind, least, most = hyperparameters.NUMBERS[name]
        fits = isinstance(value, int) or (kind is float and isinstance(value, float))
        if not fits or not least <= float(str(value)) <= most:
            what = "a whole number" if kind is int else "a number"
            yield f"and {contract.TRAIN} takes {what} from {least:g} to {most:g}; mend it"
    elif name in hyperparameters.WORDS:
        choices = NETWORKS if name == "architecture" else hyperparameters.WORDS[name]
        if choices and value not in choices:
            yield f"and {contract.TRAIN} does not know it; {suggest(str(value), choices)}"


def _known(name: str) -> str:
    return suggest(name, hyperparameters.NAMES)


RULES = (
    tuned_names,
    tuned_kinds,
    tuned_values,
    fixed_values,
    network_exists,
    weights_exist,
    images_fit_the_network,
    untrained_backbone,
    precision_is_computed,
)
