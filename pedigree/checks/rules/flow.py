"""Conditions and branches: what decides which steps run."""

from __future__ import annotations

from collections.abc import Iterator

from pedigree.checks.finding import Severity, Spot
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.conditions import Comparison, Condition, In, Not, Or, read_condition
from pedigree.language.errors import ExpressionError
from pedigree.language.expressions import Value, references


@rule("STR010", Severity.ERROR)
def nested(subject: Subject) -> Iterator[Spot]:
    """A condition step in a branch of another.

    The service takes no Condition step inside of a Condition step. Put the comparisons into one list, which is ANDed,
    or into an Or.
    """
    for step in subject.steps:
        if step.type == "Condition" and step.place:
            cause = f"{step.name} lies in a branch of {step.place[-1][0]}"
            yield Spot(step.pointer, cause, "put its comparisons into the outer condition, or the step beside it")


@rule("STR011", Severity.ERROR)
def conditions(subject: Subject) -> Iterator[Spot]:
    """A condition that is none.

    Conditions compare (Equals, GreaterThan, GreaterThanOrEqualTo, LessThan, LessThanOrEqualTo), look a value up
    (In), or combine others (Not, Or).
    """
    for pointer, found in _conditions(subject):
        if isinstance(found, str):
            yield Spot(pointer, found.partition("; ")[0], found.partition("; ")[2])


@rule("STR012", Severity.WARNING)
def constant(subject: Subject) -> Iterator[Spot]:
    """A condition that always comes out the same.

    It compares nothing that an execution could change, so one of its branches never runs.
    """
    for pointer, found in _conditions(subject):
        if not isinstance(found, str) and not any(True for value in _values(found) for _ in references(value)):
            yield Spot(pointer, "nothing that is compared can change", "compare a parameter or a step's result")


@rule("STR013", Severity.WARNING)
def empty_branches(subject: Subject) -> Iterator[Spot]:
    """A condition without a step in either branch.

    Whatever it decides, nothing follows from it.
    """
    for step in subject.steps:
        if step.type == "Condition" and not step.arguments.get("IfSteps") and not step.arguments.get("ElseSteps"):
            yield Spot(step.pointer, "neither branch has a step", "add one, or remove the condition")


@rule("TYP003", Severity.ERROR)
def compared(subject: Subject) -> Iterator[Spot]:
    """A number is compared with a text.

    The service compares values of one type; 0.7 and "0.7" are different things to it, and the execution fails at the
    condition, after everything before it has been paid for.
    """
    for pointer, found in _conditions(subject):
        for one in _comparisons(found):
            left, right = (_kind(subject, value) for value in (one.left, one.right))
            if left and right and left != right:
                yield Spot(pointer, f"{left} stands against {right}", "write both as numbers, or both as texts")
            elif one.type != "Equals" and "a truth" in (left, right):
                yield Spot(pointer, "true and false have no order", "use Equals")


def _conditions(subject: Subject) -> Iterator[tuple[str, Condition | str]]:
    for step in subject.steps:
        written = step.arguments.get("Conditions") if step.type == "Condition" else None
        if written is not None and not isinstance(written, list):
            yield f"{step.pointer}/Arguments/Conditions", "Conditions is no list; write […]"
        for index, one in enumerate(written if isinstance(written, list) else ()):
            pointer = f"{step.pointer}/Arguments/Conditions/{index}"
            try:
                yield pointer, read_condition(one)
            except ExpressionError as error:
                if not any(broken.startswith(pointer) for broken, _ in subject.broken):
                    yield pointer, str(error)


def _values(condition: Condition) -> Iterator[Value]:
    if isinstance(condition, Comparison):
        yield from (condition.left, condition.right)
    elif isinstance(condition, In):
        yield from (condition.value, *condition.choices)
    else:
        for inner in (condition.condition,) if isinstance(condition, Not) else condition.conditions:
            yield from _values(inner)


def _comparisons(condition: Condition | str) -> Iterator[Comparison]:
    if isinstance(condition, Comparison):
        yield condition
    elif isinstance(condition, Not):
        yield from _comparisons(condition.condition)
    elif isinstance(condition, Or):
        for inner in condition.conditions:
            yield from _comparisons(inner)
    elif isinstance(condition, In):
        yield from (Comparison("Equals", condition.value, choice) for choice in condition.choices)


def _kind(subject: Subject, value: Value) -> str:
    if isinstance(value, bool):
        return "a truth"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return _WORDS.get(subject.type_of(value), "")


_WORDS = {"String": "a text", "Integer": "a number", "Float": "a number", "Boolean": "a truth"}
