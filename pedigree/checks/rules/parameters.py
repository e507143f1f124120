"""Parameters: what an execution can be given."""

from __future__ import annotations

from collections.abc import Iterator

from pedigree.checks.finding import Severity, Violation
from pedigree.checks.rule import rule
from pedigree.checks.rules.types import problems
from pedigree.checks.subject import Subject
from pedigree.language.definition import Parameter
from pedigree.language.expressions import ParameterReference
from pedigree.language.near import did_you_mean
from pedigree.language.text import brief

_LONGEST_DEFAULT = 4096
_MOST_PARAMETERS = 200


@rule("REF015", Severity.WARNING)
def unused(subject: Subject) -> Iterator[Violation]:
    """Unused parameter.

    A value for it at the start of an execution changes nothing.
    """
    references = [use.reference for use in subject.uses]
    references += subject.references_in(subject.document.get("PipelineExperimentConfig"))
    used = {reference.name for reference in references if isinstance(reference, ParameterReference)}
    for name, pointer in subject.parameter_pointers.items():
        if name not in used:
            yield Violation(pointer, f"nothing uses {name}", "use it or remove it")


@rule("TYP004", Severity.ERROR)
def default_type(subject: Subject) -> Iterator[Violation]:
    """Default of a wrong type.

    Integer 50, and not "50".
    """
    for parameter, pointer in _parameters(subject):
        bare = Parameter(parameter.name, parameter.type)
        if parameter.default is not None and not bare.accepts(parameter.default):
            cause = f"the default {brief(parameter.default)} is not of type {parameter.type}"
            yield Violation(f"{pointer}/DefaultValue", cause, f"write it as {parameter.type}")


@rule("TYP005", Severity.ERROR)
def default_choice(subject: Subject) -> Iterator[Violation]:
    """Default that is not one of the choices.

    An execution without a value for it would be refused.
    """
    for parameter, pointer in _parameters(subject):
        bare = Parameter(parameter.name, parameter.type)
        if bare.accepts(parameter.default) and not parameter.accepts(parameter.default):
            cause = f"the default {brief(parameter.default)} is not one of the choices"
            hint = did_you_mean(str(parameter.default), map(str, parameter.choices))
            remedy = hint or "add it to EnumValues, or choose one of them"
            yield Violation(f"{pointer}/DefaultValue", cause, remedy)


@rule("TYP006", Severity.ERROR)
def choices(subject: Subject) -> Iterator[Violation]:
    """Choices that are duplicate, not texts, or not allowed.

    EnumValues are different texts, and only a parameter of type String has them.
    """
    for parameter, pointer in _parameters(subject):
        if parameter.choices and parameter.type != "String":
            cause = f"a parameter of type {parameter.type} has no choices"
            yield Violation(f"{pointer}/EnumValues", cause, "remove them")
            continue
        for index, written in enumerate(parameter.choices):
            choice: object = written
            inner = f"{pointer}/EnumValues/{index}"
            if not isinstance(choice, str):
                yield Violation(inner, f"the choice {brief(choice)} is not a text", "write it in quotes")
            elif choice in parameter.choices[:index]:
                yield Violation(inner, f"{brief(choice)} is there twice", "remove one of them")


@rule("TYP007", Severity.ERROR)
def unusable_value(subject: Subject) -> Iterator[Violation]:
    """Default or choice that a request refuses.

    It is right for the parameter and wrong where the parameter is used, so the step fails when it starts.
    """
    yield from problems(subject, "default")


@rule("LIM009", Severity.ERROR)
def too_many(subject: Subject) -> Iterator[Violation]:
    """Too many parameters.

    StartPipelineExecution takes 200 values.
    """
    if len(subject.definition.parameters) > _MOST_PARAMETERS:
        cause = f"there are {len(subject.definition.parameters)} parameters, and {_MOST_PARAMETERS} are allowed"
        yield Violation("/Parameters", cause, "write constants where they are used")


@rule("LIM010", Severity.ERROR)
def too_long(subject: Subject) -> Iterator[Violation]:
    """Default that is too long.

    The default of a String parameter has 4096 characters at most.
    """
    for parameter, pointer in _parameters(subject):
        if isinstance(parameter.default, str) and len(parameter.default) > _LONGEST_DEFAULT:
            cause = f"the default has {len(parameter.default)} characters, and {_LONGEST_DEFAULT} are allowed"
            remedy = "put it into a file in S3 and give its address"
            yield Violation(f"{pointer}/DefaultValue", cause, remedy)


def _parameters(subject: Subject) -> Iterator[tuple[Parameter, str]]:
    for name, pointer in subject.parameter_pointers.items():
        yield subject.definition.parameters[name], pointer
