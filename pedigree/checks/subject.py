"""What is checked: a definition with what else is known of it, and views of it that many rules share.

Each view is made once, when the first rule asks for it, in time that grows with the size of the definition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from pedigree.checks import iteration
from pedigree.checks.faults import Fault, near, step_faults
from pedigree.checks.jobs import Job, entries, jobs
from pedigree.checks.lost import lost
from pedigree.checks.reading import Reader
from pedigree.language.definition import Definition, Step
from pedigree.language.entries import names_in
from pedigree.language.errors import ExpressionError, LanguageError, UnresolvedError
from pedigree.language.expressions import (
    Expression,
    Join,
    JsonGet,
    StepReference,
    Value,
    escaped,
    is_expression,
    parse,
    references,
)
from pedigree.language.references import Use, resolve
from pedigree.language.requests import with_defaults

if TYPE_CHECKING:
    from pedigree.checks.roles.need import Need
    from pedigree.iam import Policy


@dataclass(frozen=True, slots=True)
class Found:
    """An expression, and where it stands."""

    step: Step
    pointer: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Lost:
    """A reference that leads nowhere: where it stands, what is missing, and why, with a hint where there is one."""

    pointer: str
    kind: str
    cause: str


@dataclass(frozen=True, slots=True)
class StepUse:
    """A reference to a value that a step has."""

    step: Step
    pointer: str
    reference: StepReference


class Text(NamedTuple):
    """A text, and where it stands. There are many, so a pointer is made only where one is told."""

    parent: str
    key: str
    value: str

    @property
    def pointer(self) -> str:
        """Where it stands."""
        return f"{self.parent}/{escaped(self.key)}"


@dataclass(frozen=True)
class Beside:
    """What is known beside the definition; every part can be missing."""

    functions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Configurations of Lambda functions by name, with Timeout and Runtime."""
    schedules: Sequence[Mapping[str, Any]] = ()
    """Targets of EventBridge rules, and schedules of EventBridge Scheduler, as AWS describes them."""
    scripts: Mapping[str, str] = field(default_factory=dict)
    """The source of scripts by file name."""
    policies: Mapping[str, Sequence[Policy]] = field(default_factory=dict)
    """The policies of roles by the role's name, as checks/iam reads them."""
    trusts: Mapping[str, Sequence[Policy]] = field(default_factory=dict)
    """The trust of roles, likewise."""
    pipeline_role: str = ""
    """The name of the role that runs the pipeline, which no definition has."""


class Subject:
    """A definition, seen in the ways in which rules look at it."""

    def __init__(self, document: Mapping[str, Any], beside: Beside) -> None:
        self.document = document
        self.beside = beside
        self.reader = Reader()
        self.definition: Definition = self.reader.read(document)
        self.steps: tuple[Step, ...] = tuple(self.definition.all_steps())
        self._broken: list[tuple[str, str]] = []

    @cached_property
    def found(self) -> Sequence[Found]:
        """Every expression that can be read, outermost only."""
        return [one for step in self.steps for one in self._expressions(step)]

    @cached_property
    def broken(self) -> Sequence[tuple[str, str]]:
        """Pointers to expressions that cannot be read, and why not."""
        assert self.found is not None  # reading them is what finds those that are broken
        return self._broken

    @cached_property
    def uses(self) -> Sequence[Use]:
        """Every reference in the arguments of the steps."""
        return [
            Use(one.step, one.pointer, each)
            for one in self.found
            for each in references(one.expression)
            if not iteration.is_inside(one.step, each)
        ]

    @cached_property
    def step_uses(self) -> Sequence[StepUse]:
        """The references to values of steps."""
        return [StepUse(u.step, u.pointer, u.reference) for u in self.uses if isinstance(u.reference, StepReference)]

    @cached_property
    def lost(self) -> Sequence[Lost]:
        """The references that lead nowhere, and steps to wait for that are not there."""
        return [Lost(*one) for one in lost(self.definition, self.uses)]

    @cached_property
    def parameter_pointers(self) -> Mapping[str, str]:
        """Where each parameter is declared."""
        found: dict[str, str] = {}
        for index, one in entries(self.document.get("Parameters")):
            name = one.get("Name")
            if isinstance(name, str) and name in self.definition.parameters:
                found.setdefault(name, f"/Parameters/{index}")
        return found

    @cached_property
    def texts(self) -> Sequence[Text]:
        """Every plain text that steps and parameters have; those inside of expressions too."""
        found: list[Text] = []
        for step in self.steps:
            for pointer, value in step.places():
                parent, _, key = pointer.rpartition("/")
                _texts(parent, key, value, found)
        for name, pointer in self.parameter_pointers.items():
            _texts(pointer, "DefaultValue", self.definition.parameters[name].default, found)
        return found

    @cached_property
    def jobs(self) -> Sequence[Job]:
        """Everything that runs in a container."""
        return [job for step in self.steps for job in jobs(step)]

    @cached_property
    def jobs_of(self) -> Mapping[str, Sequence[Job]]:
        """The jobs of each step that has any."""
        found: dict[str, list[Job]] = {}
        for job in self.jobs:
            found.setdefault(job.step.name, []).append(job)
        return found

    @cached_property
    def faults(self) -> Mapping[str, Sequence[Fault]]:
        """What the API model says against the requests, by kind."""
        sorted_by_kind: dict[str, list[Fault]] = {}
        for step in self.steps:
            for fault in step_faults(self.definition, step):
                sorted_by_kind.setdefault(fault.kind, []).append(fault)
        return sorted_by_kind

    @cached_property
    def needs(self) -> Sequence[Need]:
        """What roles must be allowed for all of it."""
        from pedigree.checks.roles.needs import needs  # which few checks ask for

        return needs(self)

    @cached_property
    def direct(self) -> Mapping[str, frozenset[str]]:
        """For every step, the steps for which it waits itself."""
        known = self.definition.by_name()
        found: dict[str, set[str]] = {name: set() for name in known}
        for step in self.steps:
            found[step.name] |= {one.step for one in step.depends_on if one.step in known}
            for inner in (*step.if_steps, *step.else_steps):
                found[inner.name].add(step.name)
        for use in self.uses:
            if isinstance(use.reference, (StepReference, JsonGet)) and use.reference.step in known:
                found[use.step.name].add(use.reference.step)
        return {name: frozenset(before) for name, before in found.items()}

    def comes_before(self, first: str, second: str) -> bool:
        """Whether a step has ended before another starts."""
        seen: set[str] = set()
        waiting = [second]
        while waiting:
            for one in self.direct.get(waiting.pop(), ()):
                if one == first:
                    return True
                if one not in seen:
                    seen.add(one)
                    waiting.append(one)
        return False

    def type_of(self, expression: Value) -> str:
        """The type of an expression's value, empty where only an execution knows it."""
        if isinstance(expression, Join):
            return "String"
        try:
            return next((resolve(self.definition, one) for one in references(expression)), "")
        except UnresolvedError:
            return ""

    def outputs(self, step: Step) -> list[str]:
        """The names of a processing step's outputs."""
        return names_in(step, ("ProcessingOutputConfig", "Outputs"), "OutputName")

    def reads(self, step: Step) -> Iterator[tuple[str, Any]]:
        """The S3 addresses from which a step's jobs read, with their pointers."""
        for job in self.jobs_of.get(step.name, ()):
            yield from job.reads()

    def near(self, name: str, known: Sequence[str]) -> str:
        """A hint at what was meant, if anything is near."""
        return near(name, known)

    def plain(self, value: Any) -> Any:
        """A value with parameters at their defaults, or None where only an execution knows it."""
        try:
            filled = with_defaults(self.definition, value)
        except LanguageError:
            return None
        return None if is_expression(filled) else filled

    def possible(self, value: Any) -> tuple[Any, ...]:
        """The values that can stand there: the default of a parameter, and what it may be changed to."""
        name = str(value.get("Get", "")) if isinstance(value, Mapping) else ""
        parameter = self.definition.parameters.get(name.removeprefix("Parameters."))
        if parameter and name.startswith("Parameters."):
            values = (parameter.default, *parameter.choices)
            return tuple(dict.fromkeys(one for one in values if isinstance(one, (str, int, float))))
        known = self.plain(value)
        return () if known is None else (known,)

    def references_in(self, value: Any) -> Iterator[Any]:
        """What a JSON value refers to, as far as it can be read."""
        if is_expression(value):
            try:
                yield from references(parse(value))
            except ExpressionError:
                return
        elif isinstance(value, (dict, list)):
            for inner in value.values() if isinstance(value, dict) else value:
                yield from self.references_in(inner)

    def _expressions(self, step: Step) -> Iterator[Found]:
        for pointer, value in step.places():
            yield from self._walk(step, value, pointer)

    def _walk(self, step: Step, value: Any, pointer: str) -> Iterator[Found]:
        if is_expression(value):
            try:
                yield Found(step, pointer, parse(value))  # type: ignore[arg-type]  # what is written as one parses to one
            except ExpressionError as error:
                if not iteration.is_own(step, value):
                    self._broken.append((pointer, str(error)))
        elif isinstance(value, dict):
            for key, member in value.items():
                yield from self._walk(step, member, f"{pointer}/{escaped(key)}")
        elif isinstance(value, list):
            for index, member in enumerate(value):
                yield from self._walk(step, member, f"{pointer}/{index}")


def _texts(parent: str, key: str, value: Any, found: list[Text]) -> None:
    if isinstance(value, str):
        found.append(Text(parent, key, value))
    elif isinstance(value, (dict, list)):
        pointer = f"{parent}/{escaped(key)}"
        for inner, member in value.items() if isinstance(value, dict) else enumerate(value):
            _texts(pointer, str(inner), member, found)
