"""The definition under check, with the evidence, and the views of both that several rules share.

A view is computed once, when the first rule asks for it, in time that grows linearly with the definition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeVar, cast

from pedigree.checks.evidence import Evidence
from pedigree.checks.jobs import JobRequest, jobs
from pedigree.checks.reading import Reader
from pedigree.checks.request_problems import RequestProblem, request_problems
from pedigree.language.defaults import with_defaults
from pedigree.language.definition import Definition, Step
from pedigree.language.entries import names_in
from pedigree.language.errors import ExpressionError, LanguageError, UnresolvedError
from pedigree.language.expressions import (
    Expression,
    Join,
    JsonGet,
    StepReference,
    Value,
    is_expression,
    parse,
    references,
)
from pedigree.language.iteration import FOR_EACH, is_inside
from pedigree.language.pointers import entries, escape
from pedigree.language.references import DanglingReference, Use, dangling_references, resolve

View = TypeVar("View")


@dataclass(frozen=True, slots=True)
class LocatedExpression:
    """An expression, the step that has it, and the pointer to it."""

    step: Step
    pointer: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class MalformedExpression:
    """An expression that cannot be parsed, and why."""

    pointer: str
    error: ExpressionError


@dataclass(frozen=True, slots=True)
class StepUse:
    """A reference to a value of a step."""

    step: Step
    pointer: str
    reference: StepReference


class LocatedText(NamedTuple):
    """A text and its place. A definition has many, so the pointer is made only for those that are reported."""

    parent: str
    key: str
    value: str

    @property
    def pointer(self) -> str:
        return f"{self.parent}/{escape(self.key)}"


class Subject:
    """A definition and the evidence, as rules look at them."""

    def __init__(self, document: Mapping[str, Any], evidence: Evidence) -> None:
        self.document = document
        self.evidence = evidence
        self.reader = Reader()
        self.definition: Definition = self.reader.read(document)
        self.steps: tuple[Step, ...] = tuple(self.definition.all_steps())
        self.all_steps: tuple[Step, ...] = tuple(step for outer in self.steps for step in (outer, *_inside(outer)))
        """The steps, and those in the bodies of ForEach steps."""
        self._views: dict[Callable[[Subject], Any], Any] = {}

    def view(self, make: Callable[[Subject], View]) -> View:
        """What a function makes of this definition, computed once. For views that this module need not know."""
        if make not in self._views:
            self._views[make] = make(self)
        return cast("View", self._views[make])

    @property
    def expressions(self) -> Sequence[LocatedExpression]:
        """Every expression that can be parsed; those inside another one are part of it."""
        return self._parsed[0]

    @property
    def malformed_expressions(self) -> Sequence[MalformedExpression]:
        return self._parsed[1]

    @cached_property
    def uses(self) -> Sequence[Use]:
        """Every reference in the arguments of the steps."""
        return [
            Use(located.step, located.pointer, reference)
            for located in self.expressions
            for reference in references(located.expression)
            if not is_inside(located.step, reference)
        ]

    @cached_property
    def step_uses(self) -> Sequence[StepUse]:
        """The references to values of steps."""
        return [
            StepUse(use.step, use.pointer, use.reference)
            for use in self.uses
            if isinstance(use.reference, StepReference)
        ]

    @cached_property
    def dangling_references(self) -> Sequence[DanglingReference]:
        return list(dangling_references(self.definition, self.uses))

    @cached_property
    def parameter_pointers(self) -> Mapping[str, str]:
        """Where each parameter is declared."""
        pointers: dict[str, str] = {}
        for index, parameter in entries(self.document.get("Parameters")):
            name = parameter.get("Name")
            if isinstance(name, str) and name in self.definition.parameters:
                pointers.setdefault(name, f"/Parameters/{index}")
        return pointers

    @cached_property
    def texts(self) -> Sequence[LocatedText]:
        """Every plain text in steps and parameters, those inside expressions too."""
        texts: list[LocatedText] = []
        for step in self.steps:
            for pointer, value in step.places():
                parent, _, key = pointer.rpartition("/")
                _collect_texts(parent, key, value, texts)
        for name, pointer in self.parameter_pointers.items():
            _collect_texts(pointer, "DefaultValue", self.definition.parameters[name].default, texts)
        return texts

    @cached_property
    def jobs(self) -> Sequence[JobRequest]:
        """Everything that runs in a container."""
        return [job for step in self.all_steps for job in jobs(step)]

    @cached_property
    def jobs_of(self) -> Mapping[str, Sequence[JobRequest]]:
        """The jobs of each step that has any."""
        by_step: dict[str, list[JobRequest]] = {}
        for job in self.jobs:
            by_step.setdefault(job.step.name, []).append(job)
        return by_step

    @cached_property
    def request_problems(self) -> Mapping[str, Sequence[RequestProblem]]:
        """What is wrong with the requests by SageMaker's API model, by kind."""
        by_kind: dict[str, list[RequestProblem]] = {}
        for step in self.all_steps:
            for problem in request_problems(self.definition, step):
                by_kind.setdefault(problem.kind, []).append(problem)
        return by_kind

    @cached_property
    def direct_dependencies(self) -> Mapping[str, frozenset[str]]:
        """For every step, the steps that it waits for itself."""
        steps = self.definition.by_name()
        waits_for: dict[str, set[str]] = {name: set() for name in steps}
        for step in self.steps:
            waits_for[step.name] |= {dependency.step for dependency in step.depends_on if dependency.step in steps}
            for inner in (*step.if_steps, *step.else_steps):
                waits_for[inner.name].add(step.name)
        for use in self.uses:
            if isinstance(use.reference, (StepReference, JsonGet)) and use.reference.step in steps:
                waits_for[use.step.name].add(use.reference.step)
        return {name: frozenset(before) for name, before in waits_for.items()}

    def comes_before(self, first: str, second: str) -> bool:
        """Whether one step always ends before another one starts."""
        visited: set[str] = set()
        to_visit = [second]
        while to_visit:
            for name in self.direct_dependencies.get(to_visit.pop(), ()):
                if name == first:
                    return True
                if name not in visited:
                    visited.add(name)
                    to_visit.append(name)
        return False

    def type_of(self, expression: Value) -> str:
        """The type of an expression's value, empty where it is known in an execution only."""
        if isinstance(expression, Join):
            return "String"
        try:
            return next((resolve(self.definition, reference) for reference in references(expression)), "")
        except UnresolvedError:
            return ""

    def output_names(self, step: Step) -> list[str]:
        """The names of a processing step's outputs."""
        return names_in(step, ("ProcessingOutputConfig", "Outputs"), "OutputName")

    def inputs(self, step: Step) -> Iterator[tuple[str, Any]]:
        """The S3 addresses that a step's jobs read, with their pointers."""
        for job in self.jobs_of.get(step.name, ()):
            yield from job.inputs()

    def plain(self, value: Any) -> Any:
        """A value with parameters at their defaults, or None where it is known in an execution only."""
        try:
            filled = with_defaults(self.definition, value)
        except LanguageError:
            return None
        return None if is_expression(filled) else filled

    def possible(self, value: Any) -> tuple[Any, ...]:
        """The values that can be there: the default of a parameter, and its other choices."""
        name = str(value.get("Get", "")) if isinstance(value, Mapping) else ""
        parameter = self.definition.parameters.get(name.removeprefix("Parameters."))
        if parameter and name.startswith("Parameters."):
            values = (parameter.default, *parameter.choices)
            return tuple(dict.fromkeys(choice for choice in values if isinstance(choice, (str, int, float))))
        plain = self.plain(value)
        return () if plain is None else (plain,)

    def references_in(self, value: Any) -> Iterator[Any]:
        """The references in a JSON value, as far as they can be parsed."""
        if is_expression(value):
            try:
                yield from references(parse(value))
            except ExpressionError:
                return
        elif isinstance(value, (dict, list)):
            for inner in value.values() if isinstance(value, dict) else value:
                yield from self.references_in(inner)

    @cached_property
    def _parsed(self) -> tuple[list[LocatedExpression], list[MalformedExpression]]:
        expressions: list[LocatedExpression] = []
        malformed: list[MalformedExpression] = []
        for step in self.steps:
            for pointer, value in step.places():
                _parse_all(step, value, pointer, expressions, malformed)
        return expressions, malformed


def _inside(step: Step) -> Iterator[Step]:
    """The steps in the body of a ForEach step, as far as they can be read."""
    for index, inner in entries(step.arguments.get("ForEachBody")) if step.type == FOR_EACH else ():
        arguments = inner.get("Arguments")
        yield Step(
            name=str(inner.get("Name", "")),
            type=str(inner.get("Type", "")),
            arguments=arguments if isinstance(arguments, Mapping) else {},
            document=inner,
            pointer=f"{step.pointer}/Arguments/ForEachBody/{index}",
        )


def _parse_all(
    step: Step, value: Any, pointer: str, expressions: list[LocatedExpression], malformed: list[MalformedExpression]
) -> None:
    if is_expression(value):
        try:
            expressions.append(LocatedExpression(step, pointer, cast("Expression", parse(value))))
        except ExpressionError as error:
            malformed.append(MalformedExpression(pointer, error))
    elif isinstance(value, dict):
        for key, member in value.items():
            _parse_all(step, member, f"{pointer}/{escape(key)}", expressions, malformed)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            _parse_all(step, member, f"{pointer}/{index}", expressions, malformed)


def _collect_texts(parent: str, key: str, value: Any, texts: list[LocatedText]) -> None:
    if isinstance(value, str):
        texts.append(LocatedText(parent, key, value))
    elif isinstance(value, (dict, list)):
        pointer = f"{parent}/{escape(key)}"
        for inner, member in value.items() if isinstance(value, dict) else enumerate(value):
            _collect_texts(pointer, str(inner), member, texts)
