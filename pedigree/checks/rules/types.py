"""Types: a value, or what it refers to, must have the type that is needed there."""

from __future__ import annotations

from collections.abc import Iterator

from pedigree.checks.finding import Severity, Violation
from pedigree.checks.request_problems import ProblemKind
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.definition import PARAMETER_TYPES
from pedigree.language.expressions import is_expression
from pedigree.language.pointers import entries
from pedigree.language.references import UNKNOWN
from pedigree.language.shapes import DECLARING
from pedigree.language.text import brief


def problems(subject: Subject, kind: ProblemKind) -> Iterator[Violation]:
    """The problems of requests of one kind."""
    for problem in subject.request_problems.get(kind, ()):
        yield Violation(problem.pointer, problem.cause, problem.remedy)


@rule("TYP001", Severity.ERROR)
def literal(subject: Subject) -> Iterator[Violation]:
    """Value of a wrong type.

    The service takes 600 where it needs a number, and not "600"; hyperparameters and environment are texts.
    """
    yield from problems(subject, "type")


@rule("TYP002", Severity.ERROR)
def reference(subject: Subject) -> Iterator[Violation]:
    """Reference to a value of a wrong type.

    An Integer parameter as a hyperparameter is the classic: "Cannot assign property reference to argument of type
    String". {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Epochs"}]}} makes it text.
    """
    yield from problems(subject, "mistyped")


@rule("TYP008", Severity.ERROR)
def nested_argument(subject: Subject) -> Iterator[Violation]:
    """Nested argument of a function or callback.

    Lambda and Callback steps take texts, numbers and booleans. Pass a list or an object as the text of its JSON.
    """
    for step in subject.steps:
        for name, value in step.arguments.items() if step.type in DECLARING else ():
            if isinstance(value, (dict, list)) and not is_expression(value):
                cause = f"{name} is {'a list' if isinstance(value, list) else 'an object'}"
                yield Violation(f"{step.pointer}/Arguments/{name}", cause, "write it as the text of its JSON")


@rule("TYP010", Severity.ERROR)
def addresses(subject: Subject) -> Iterator[Violation]:
    """Queue or function that is not text.

    The SqsQueueUrl of a Callback step and the FunctionArn of a Lambda step may be a reference, to a text.
    """
    for expression in subject.expressions:
        member = expression.pointer.removeprefix(f"{expression.step.pointer}/")
        kind = subject.type_of(expression.expression) if member in ("SqsQueueUrl", "FunctionArn") else ""
        if kind not in ("", UNKNOWN, "String"):
            yield Violation(expression.pointer, f"{member} is {kind}, and needs a String", "refer to a text")


@rule("TYP009", Severity.ERROR)
def output_types(subject: Subject) -> Iterator[Violation]:
    """Unknown type of an output.

    A function returns flat values: String, Integer, Float or Boolean. Nested values are lost.
    """
    for step in subject.steps:
        for index, output in entries(step.document.get("OutputParameters")) if step.type in DECLARING else ():
            kind = output.get("OutputType")
            if isinstance(kind, str) and kind not in PARAMETER_TYPES:
                pointer = f"{step.pointer}/OutputParameters/{index}/OutputType"
                remedy = f"use {', '.join(PARAMETER_TYPES)}; a list or an object as the text of its JSON"
                yield Violation(pointer, f"there is no type {brief(kind)}", remedy)
