"""Scripts, where they are given: the options that they accept, compared with what the definition passes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.checks.finding import Severity, Violation
from pedigree.checks.jobs import JobRequest
from pedigree.checks.rule import rule
from pedigree.checks.rules.images import job_images, serving_images
from pedigree.checks.rules.tuning import ranges
from pedigree.checks.script_options import ScriptOption, script_options
from pedigree.checks.subject import Subject
from pedigree.language.expressions import is_expression
from pedigree.language.near import did_you_mean
from pedigree.language.pointers import at, look_up
from pedigree.language.text import brief

_PROGRAM = "sagemaker_program"
_FRAMEWORK = re.compile(
    r"sagemaker-scikit-learn|(?:huggingface-)?(?:pytorch|tensorflow)-training|(?:mxnet|autogluon)-training"
)


@dataclass(frozen=True)
class _ScriptJob:
    """A job whose script's options are known, and the pointer and the value of every hyperparameter it is given."""

    job: JobRequest
    options: list[ScriptOption]
    hyperparameters: dict[str, tuple[str, Any]]


@rule("SCR006", Severity.ERROR)
def unknown(subject: Subject) -> Iterator[Violation]:
    """Hyperparameter that the script does not accept.

    Checked where scripts are given. AWS's toolkit passes every hyperparameter to the script as an option, and
    argparse ends the script at an unknown one, after the machine has been paid for.
    """
    for script in _script_jobs(subject):
        names = [option.name for option in script.options]
        for name, (pointer, _) in script.hyperparameters.items():
            is_unique_prefix = sum(other.startswith(name) for other in names) == 1  # argparse takes those
            if name not in names and not is_unique_prefix:
                remedy = did_you_mean(name, names) or "remove it, or add it to the script"
                yield Violation(pointer, f"the script has no option --{name}", remedy)


@rule("SCR007", Severity.ERROR)
def required(subject: Subject) -> Iterator[Violation]:
    """Missing hyperparameter that the script requires.

    Checked where scripts are given.
    """
    for script in _script_jobs(subject):
        for option in script.options:
            if option.required and option.name not in script.hyperparameters:
                pointer = script.job.pointer_to(script.job.hyperparameters)
                remedy = f"add {option.name}, or give it a default in the script"
                yield Violation(pointer, f"the script requires --{option.name}", remedy)


@rule("SCR008", Severity.ERROR)
def value(subject: Subject) -> Iterator[Violation]:
    """Hyperparameter with a value that the script refuses.

    Checked where scripts are given: the script converts the text to a number and it is none, or it is not one of the
    choices.
    """
    for script in _script_jobs(subject):
        for option in script.options:
            pointer, written = script.hyperparameters.get(option.name, ("", {}))
            text = subject.plain(written)
            if isinstance(text, str) and not option.accepts(text.strip('"')):
                choices = ", ".join(map(str, option.choices))
                needed = f"one of {choices}" if choices else f"of type {option.type}"
                cause = f"the script refuses {brief(text)} for --{option.name}"
                yield Violation(pointer, cause, f"give a value {needed}")


@rule("SCR009", Severity.ERROR)
def missing(subject: Subject) -> Iterator[Violation]:
    """Unknown script.

    Checked where scripts are given: none of them has the name that the job runs.
    """
    scripts = subject.evidence.scripts
    for job in subject.jobs:
        name = _program(subject, job) if job.trains and scripts else ""
        if name and name not in scripts:
            remedy = did_you_mean(name, scripts) or "name one of the scripts"
            yield Violation(job.pointer_to(job.hyperparameters, _PROGRAM), f"there is no script {name}", remedy)


@rule("SCR016", Severity.ERROR)
def no_script(subject: Subject) -> Iterator[Violation]:
    """Training image of a framework without a script.

    The image starts the script that the hyperparameter sagemaker_program names, and has nothing to train without it.
    """
    for job, address in job_images(subject):
        is_framework = job.trains and _FRAMEWORK.fullmatch(address.repository)
        if is_framework and not _names_script(job):
            pointer = job.pointer_to(job.hyperparameters) if job.get(job.hyperparameters) else job.pointer
            remedy = (
                "add the hyperparameters sagemaker_program and sagemaker_submit_directory, or a ContainerEntrypoint"
            )
            yield Violation(pointer, f"{address.repository} is given no script to run", remedy)


@rule("SCR014", Severity.WARNING)
def serving(subject: Subject) -> Iterator[Violation]:
    """PyTorch image for serving without a script.

    Checked where scripts are given. The image looks for code/inference.py in the model's archive; without one it takes
    model.pt for a TorchScript model, and the endpoint fails at its first request. Save inference.py beside the weights.
    """
    names = {name.rpartition("/")[2] for name in subject.evidence.scripts}
    for pointer, address in serving_images(subject) if names and "inference.py" not in names else ():
        if address.repository == "pytorch-inference" and not _has_program(subject, pointer):
            cause = "there is no inference.py among the scripts"
            yield Violation(pointer, cause, "add one, and save it with the model")


def _script_jobs(subject: Subject) -> Iterator[_ScriptJob]:
    for job in subject.jobs:
        options = script_options(subject.evidence.scripts, _program(subject, job)) if job.trains else None
        if options:
            hyperparameters = {
                name: (job.pointer_to(job.hyperparameters, name), value)
                for name, value in job.fixed_hyperparameters.items()
                if not name.startswith("sagemaker_")
            }
            for tuned in ranges(subject):
                if tuned.step.name == job.step.name:
                    hyperparameters.setdefault(tuned.name, (f"{tuned.pointer}/Name", {}))
            yield _ScriptJob(job, options, hyperparameters)


def _program(subject: Subject, job: JobRequest) -> str:
    program = subject.plain(job.fixed_hyperparameters.get(_PROGRAM))
    return program.strip('"') if isinstance(program, str) else ""


def _has_program(subject: Subject, image_pointer: str) -> bool:
    """Whether the container of an image has the variable that names its script."""
    container = look_up(subject.document, image_pointer.rpartition("/")[0])
    return at(container, "Environment", "SAGEMAKER_PROGRAM") is not None


def _names_script(job: JobRequest) -> bool:
    """Whether a job says what to run, or may say so where only an execution knows it."""
    named, variables = job.get(job.hyperparameters), job.get("Environment")
    has_own = job.get("AlgorithmSpecification", "ContainerEntrypoint")
    if has_own or (named is not None and not isinstance(named, Mapping)) or is_expression(named):
        return True
    in_variables = isinstance(variables, Mapping) and _PROGRAM.upper() in variables
    return in_variables or _PROGRAM in (named or {})
