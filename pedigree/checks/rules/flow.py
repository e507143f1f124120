"""Conditions and branches: what decides which steps run."""

from __future__ import annotations

from collections.abc import Iterator

from pedigree.checks.finding import Severity, Violation
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.conditions import Comparison, Condition, In, Not, Or, read_condition
from pedigree.language.errors import ExpressionError
from pedigree.language.expressions import Value, references


@rule("STR010", Severity.WARNING)
def nested(subject: Subject) -> Iterator[Violation]:
    """Condition step inside another one.

    AWS's guide says that the service takes no Condition step in a branch of a Condition step; pipelines that have
    some are known to run. Put the comparisons into one list, which is ANDed, or into an Or.
    """
    for step in subject.steps:
        if step.type == "Condition" and step.branch_path:
            cause = f"{step.name} is in a branch of {step.branch_path[-1][0]}"
            remedy = "put its comparisons into the outer condition, or the step outside of it"
            yield Violation(step.pointer, cause, remedy)


@rule("STR011", Severity.ERROR)
def malformed(subject: Subject) -> Iterator[Violation]:
    """Malformed condition.

    Conditions compare (Equals, GreaterThan, GreaterThanOrEqualTo, LessThan, LessThanOrEqualTo), look a value up
    (In), or combine others (Not, Or).
    """
    for pointer, condition in _conditions(subject):
        if isinstance(condition, ExpressionError):
            yield Violation(pointer, condition.cause, condition.remedy)


@rule("STR012", Severity.WARNING)
def constant(subject: Subject) -> Iterator[Violation]:
    """Condition with a constant result.

    It compares nothing that an execution could change, so one of its branches never runs.
    """
    for pointer, condition in _conditions(subject):
        if not isinstance(condition, ExpressionError) and not any(map(_refers, _values(condition))):
            yield Violation(pointer, "it compares constants only", "compare a parameter or a step's result")


@rule("STR013", Severity.WARNING)
def empty_branches(subject: Subject) -> Iterator[Violation]:
    """Condition step without a step in either branch.

    Its result has no effect.
    """
    for step in subject.steps:
        if step.type == "Condition" and not step.arguments.get("IfSteps") and not step.arguments.get("ElseSteps"):
            yield Violation(step.pointer, "neither branch has a step", "add one, or remove the condition")


@rule("STR015", Severity.ERROR)
def after_fail(subject: Subject) -> Iterator[Violation]:
    """Step that waits for a Fail step.

    A Fail step ends the execution, so nothing comes after it; the service refuses the whole definition.
    """
    failing = {step.name for step in subject.steps if step.type == "Fail"}
    for step in subject.steps:
        for index, wait in enumerate(step.depends_on):
            if wait.step in failing:
                cause = f"{step.name} waits for {wait.step}, a Fail step"
                yield Violation(f"{step.pointer}/DependsOn/{index}", cause, "wait for the step before it")


@rule("TYP003", Severity.ERROR)
def mixed_types(subject: Subject) -> Iterator[Violation]:
    """Comparison of two types.

    The service compares values of one type: 0.7 and "0.7" are different. The execution fails at the condition, after
    everything before it has been paid for.
    """
    for pointer, condition in _conditions(subject):
        for comparison in _comparisons(condition):
            left, right = (_type(subject, value) for value in (comparison.left, comparison.right))
            if left and right and left != right:
                cause = f"{left} is compared with {right}"
                yield Violation(pointer, cause, "write both as numbers, or both as texts")
            elif comparison.type != "Equals" and "a boolean" in (left, right):
                yield Violation(pointer, "true and false have no order", "use Equals")


def _conditions(subject: Subject) -> Iterator[tuple[str, Condition | ExpressionError]]:
    for step in subject.steps:
        written = step.arguments.get("Conditions") if step.type == "Condition" else None
        if written is not None and not isinstance(written, list):
            yield f"{step.pointer}/Arguments/Conditions", ExpressionError("Conditions is not a list", "write […]")
        for index, document in enumerate(written if isinstance(written, list) else ()):
            pointer = f"{step.pointer}/Arguments/Conditions/{index}"
            try:
                yield pointer, read_condition(document)
            except ExpressionError as error:
                if not any(expression.pointer.startswith(pointer) for expression in subject.malformed_expressions):
                    yield pointer, error


def _refers(value: Value) -> bool:
    return next(references(value), None) is not None


def _values(condition: Condition) -> Iterator[Value]:
    if isinstance(condition, Comparison):
        yield from (condition.left, condition.right)
    elif isinstance(condition, In):
        yield from (condition.value, *condition.choices)
    else:
        for inner in (condition.condition,) if isinstance(condition, Not) else condition.conditions:
            yield from _values(inner)


def _comparisons(condition: Condition | ExpressionError) -> Iterator[Comparison]:
    if isinstance(condition, Comparison):
        yield condition
    elif isinstance(condition, Not):
        yield from _comparisons(condition.condition)
    elif isinstance(condition, Or):
        for inner in condition.conditions:
            yield from _comparisons(inner)
    elif isinstance(condition, In):
        yield from (Comparison("Equals", condition.value, choice) for choice in condition.choices)


def _type(subject: Subject, value: Value) -> str:
    """The type of a value in words, empty where it is known in an execution only."""
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return _WORDS.get(subject.type_of(value), "")


_WORDS = {"String": "a text", "Integer": "a number", "Float": "a number", "Boolean": "a boolean"}
