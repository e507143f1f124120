"""Parameters: what an execution can be given."""

from __future__ import annotations

from collections.abc import Iterator

from pedigree.checks.finding import Severity, Spot
from pedigree.checks.reading import brief
from pedigree.checks.rule import rule
from pedigree.checks.rules.types import told
from pedigree.checks.subject import Subject
from pedigree.language.definition import Parameter
from pedigree.language.expressions import ParameterReference

_LONGEST = 4096
_MOST = 200


@rule("REF015", Severity.WARNING)
def unused(subject: Subject) -> Iterator[Spot]:
    """A parameter that nothing uses.

    Whoever changes it at the start of an execution changes nothing.
    """
    used = {use.reference.name for use in subject.uses if isinstance(use.reference, ParameterReference)}
    used |= {
        one.name
        for one in subject.references_in(subject.document.get("PipelineExperimentConfig"))
        if isinstance(one, ParameterReference)
    }
    for name, pointer in subject.parameter_pointers.items():
        if name not in used:
            yield Spot(pointer, f"nothing uses {name}", "use it or remove it")


@rule("TYP004", Severity.ERROR)
def default_type(subject: Subject) -> Iterator[Spot]:
    """A default that is not of the parameter's type.

    Integer 50, and not "50".
    """
    for parameter, pointer in _parameters(subject):
        bare = Parameter(parameter.name, parameter.type)
        if parameter.default is not None and not bare.accepts(parameter.default):
            cause = f"the default {brief(parameter.default)} is no {parameter.type}"
            yield Spot(f"{pointer}/DefaultValue", cause, f"write it as {parameter.type}")


@rule("TYP005", Severity.ERROR)
def default_choice(subject: Subject) -> Iterator[Spot]:
    """A default that is not among the parameter's choices.

    An execution that is given nothing would be refused.
    """
    for parameter, pointer in _parameters(subject):
        bare = Parameter(parameter.name, parameter.type)
        if bare.accepts(parameter.default) and not parameter.accepts(parameter.default):
            cause = f"the default {brief(parameter.default)} is none of the choices"
            remedy = subject.near(str(parameter.default), [str(one) for one in parameter.choices])
            yield Spot(f"{pointer}/DefaultValue", cause, remedy or "add it to EnumValues, or choose one of them")


@rule("TYP006", Severity.ERROR)
def choices(subject: Subject) -> Iterator[Spot]:
    """Choices that the service does not take.

    EnumValues are different texts, and only a parameter of type String has them.
    """
    for parameter, pointer in _parameters(subject):
        if parameter.choices and parameter.type != "String":
            yield Spot(f"{pointer}/EnumValues", f"a parameter of type {parameter.type} has no choices", "remove them")
            continue
        for index, one in enumerate(parameter.choices):
            choice: object = one
            if not isinstance(choice, str):
                yield Spot(f"{pointer}/EnumValues/{index}", f"the choice {brief(one)} is no text", "write it in quotes")
            elif one in parameter.choices[:index]:
                yield Spot(f"{pointer}/EnumValues/{index}", f"{brief(one)} is there twice", "remove one of them")


@rule("TYP007", Severity.ERROR)
def fits(subject: Subject) -> Iterator[Spot]:
    """A default or a choice that the place where it is used refuses.

    It is right for the parameter and wrong for the request, so the step fails when it starts.
    """
    yield from told(tuple(subject.faults.get("default", ())))


@rule("LIM009", Severity.ERROR)
def most(subject: Subject) -> Iterator[Spot]:
    """More parameters than an execution can be given.

    StartPipelineExecution takes 200 values.
    """
    if len(subject.definition.parameters) > _MOST:
        cause = f"there are {len(subject.definition.parameters)} parameters and may be {_MOST}"
        yield Spot("/Parameters", cause, "write what never changes where it is used")


@rule("LIM010", Severity.ERROR)
def longest(subject: Subject) -> Iterator[Spot]:
    """A default that is too long.

    The default of a String parameter has 4096 characters at most.
    """
    for parameter, pointer in _parameters(subject):
        if isinstance(parameter.default, str) and len(parameter.default) > _LONGEST:
            cause = f"the default has {len(parameter.default)} characters and may have {_LONGEST}"
            yield Spot(f"{pointer}/DefaultValue", cause, "put it into a file in S3 and give its address")


def _parameters(subject: Subject) -> Iterator[tuple[Parameter, str]]:
    for name, pointer in subject.parameter_pointers.items():
        yield subject.definition.parameters[name], pointer
