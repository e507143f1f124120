"""Types: what is written, or what is referred to, must be what is needed there."""

from __future__ import annotations

from collections.abc import Iterator

from pedigree.checks.faults import Fault
from pedigree.checks.finding import Severity, Spot
from pedigree.checks.jobs import entries
from pedigree.checks.reading import brief
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.definition import PARAMETER_TYPES
from pedigree.language.expressions import is_expression
from pedigree.language.shapes import DECLARING


def told(faults: list[Fault] | tuple[Fault, ...]) -> Iterator[Spot]:
    """The faults as spots."""
    yield from (Spot(one.pointer, one.cause, one.remedy) for one in faults)


@rule("TYP001", Severity.ERROR)
def literal(subject: Subject) -> Iterator[Spot]:
    """A value of the wrong type.

    The service takes 600 where it wants a number, and not "600"; hyperparameters and environment are texts.
    """
    yield from told(tuple(subject.faults.get("type", ())))


@rule("TYP002", Severity.ERROR)
def referred(subject: Subject) -> Iterator[Spot]:
    """A reference to a value of the wrong type.

    An Integer parameter as a hyperparameter is the classic: "Cannot assign property reference to argument of type
    String". {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Epochs"}]}} makes it text.
    """
    yield from told(tuple(subject.faults.get("mistyped", ())))


@rule("TYP008", Severity.ERROR)
def flat(subject: Subject) -> Iterator[Spot]:
    """An argument of a function or callback that is not flat.

    Lambda and Callback steps take texts, numbers and truths. A list or an object goes as the text of its JSON.
    """
    for step in subject.steps:
        for name, value in step.arguments.items() if step.type in DECLARING else ():
            if isinstance(value, (dict, list)) and not is_expression(value):
                kind = "a list" if isinstance(value, list) else "an object"
                yield Spot(f"{step.pointer}/Arguments/{name}", f"{name} is {kind}", "write it as the text of its JSON")


@rule("TYP009", Severity.ERROR)
def output_types(subject: Subject) -> Iterator[Spot]:
    """An output whose type does not exist.

    What a function gives back is flat: String, Integer, Float or Boolean. Anything nested is lost.
    """
    for step in subject.steps:
        for index, one in entries(step.document.get("OutputParameters")) if step.type in DECLARING else ():
            kind = one.get("OutputType")
            if isinstance(kind, str) and kind not in PARAMETER_TYPES:
                pointer = f"{step.pointer}/OutputParameters/{index}/OutputType"
                remedy = f"use {', '.join(PARAMETER_TYPES)}; a list or an object as the text of its JSON"
                yield Spot(pointer, f"there is no type {brief(kind)}", remedy)
