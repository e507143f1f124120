"""Scripts, where they are given: what they accept against what the definition hands them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pedigree.checks.finding import Severity, Spot
from pedigree.checks.jobs import Job
from pedigree.checks.options import Option, accepts, options
from pedigree.checks.reading import brief
from pedigree.checks.rule import rule
from pedigree.checks.rules.images import served as serving
from pedigree.checks.rules.tuning import ranges
from pedigree.checks.subject import Subject

_PROGRAM = "sagemaker_program"


def _program(subject: Subject, job: Job) -> str:
    program = subject.plain(job.fixed.get(_PROGRAM))
    return program.strip('"') if isinstance(program, str) else ""


def _judged(subject: Subject) -> Iterator[tuple[Job, list[Option], dict[str, tuple[str, Any]]]]:
    """The jobs whose script's options are known, with every hyperparameter: its pointer and its value."""
    for job in subject.jobs:
        known = options(subject.beside.scripts, _program(subject, job)) if job.trains else None
        if known:
            given = {
                name: (job.place(job.hyperparameters, name), value)
                for name, value in job.fixed.items()
                if not name.startswith("sagemaker_")
            }
            for one in ranges(subject):
                if one.step.name == job.step.name:
                    given.setdefault(one.name, (f"{one.pointer}/Name", {}))
            yield job, known, given


@rule("SCR006", Severity.ERROR)
def accepted(subject: Subject) -> Iterator[Spot]:
    """A hyperparameter that the script does not accept.

    Checked where scripts are given. AWS's toolkit hands every hyperparameter to the script as an option, and
    argparse ends a script that it does not know, after the machine has been paid for.
    """
    for _, known, given in _judged(subject):
        names = [one.name for one in known]
        for name, (pointer, _value) in given.items():
            if name not in names and sum(one.startswith(name) for one in names) != 1:
                hint = subject.near(name, names) or "remove it, or add it to the script"
                yield Spot(pointer, f"the script has no option --{name}", hint)


@rule("SCR007", Severity.ERROR)
def required(subject: Subject) -> Iterator[Spot]:
    """A hyperparameter that the script requires is not given.

    Checked where scripts are given.
    """
    for job, known, given in _judged(subject):
        for one in known:
            if one.required and one.name not in given:
                pointer = job.place(job.hyperparameters)
                yield Spot(pointer, f"the script requires --{one.name}", f"add {one.name}, or give it a default there")


@rule("SCR008", Severity.ERROR)
def values(subject: Subject) -> Iterator[Spot]:
    """A hyperparameter whose value the script refuses.

    Checked where scripts are given: it is no number where one is converted, or none of the choices.
    """
    for _, known, given in _judged(subject):
        for one in known:
            pointer, written = given.get(one.name, ("", {}))
            value = subject.plain(written)
            if isinstance(value, str) and not accepts(one, value.strip('"')):
                needed = f"one of {', '.join(map(str, one.choices))}" if one.choices else f"of type {one.type}"
                yield Spot(pointer, f"the script refuses {brief(value)} for --{one.name}", f"give a value {needed}")


@rule("SCR009", Severity.ERROR)
def present(subject: Subject) -> Iterator[Spot]:
    """A script that is not there.

    Checked where scripts are given: none of them has the name that the job is told to run.
    """
    for job in subject.jobs:
        name = _program(subject, job) if job.trains and subject.beside.scripts else ""
        if name and name not in subject.beside.scripts:
            hint = subject.near(name, list(subject.beside.scripts)) or "name one of the scripts"
            yield Spot(job.place(job.hyperparameters, _PROGRAM), f"there is no script {name}", hint)


@rule("SCR014", Severity.WARNING)
def served(subject: Subject) -> Iterator[Spot]:
    """A PyTorch image serves, and no script says how.

    Checked where scripts are given. The image looks for code/inference.py in the model's archive; without one it takes
    model.pt for a TorchScript model, and the endpoint fails at its first request. Save inference.py beside the weights.
    """
    names = {name.rpartition("/")[2] for name in subject.beside.scripts}
    for pointer, found in serving(subject) if names and "inference.py" not in names else ():
        if found.repository == "pytorch-inference" and not _names_program(subject, pointer):
            yield Spot(pointer, "there is no inference.py among the scripts", "add one, and save it with the model")


def _names_program(subject: Subject, pointer: str) -> bool:
    """Whether the container beside an image is told its program."""
    value: Any = subject.document
    for part in pointer.split("/")[1:-1]:
        value = value[int(part)] if isinstance(value, list) else value[part]
    environment = value.get("Environment") if isinstance(value, dict) else None
    return isinstance(environment, dict) and "SAGEMAKER_PROGRAM" in environment
