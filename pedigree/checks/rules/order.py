"""Order: which steps must have ended before another one starts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from pedigree.checks.finding import Severity, Violation
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.definition import Step
from pedigree.language.expressions import JsonGet, StepReference
from pedigree.language.pointers import at, entries

_SCRIPTS = (".py", ".sh", "sourcedir.tar.gz")


@rule("REF011", Severity.ERROR)
def cycle(subject: Subject) -> Iterator[Violation]:
    """Cycle of steps.

    The steps wait for each other, so none of them can start. References and DependsOn make a cycle together.
    """
    for names in _cycles(subject.direct_dependencies):
        first = subject.definition.by_name()[names[0]]
        circle = " → ".join([*names, names[0]])
        cause = f"{names[0]} waits for itself" if len(names) == 1 else f"these wait for each other: {circle}"
        yield Violation(first.pointer, cause, "remove one of the references, or the DependsOn")


@rule("REF013", Severity.WARNING)
def missing_dependency(subject: Subject) -> Iterator[Violation]:
    """Missing dependency between a writer and a reader.

    One step reads the S3 address that another one writes, or what is below that, both as plain text or as a parameter
    with that default. Nothing makes it wait, so both may run at once. Refer to the output of the step instead, which
    makes the order too.
    """
    outputs = {address.rstrip("/"): step for step in subject.steps for _, address in _outputs(subject, step)}
    models = {address.rstrip("/"): step for step in subject.steps for _, address in _models(subject, step)}
    writers = models | outputs
    for step in subject.steps:
        for pointer, address in _inputs(subject, step):
            place = address.rstrip("/")
            outer = (outputs[prefix] for prefix in _around(place) if prefix in outputs)
            writer = writers.get(place) or next(outer, None)
            if writer and writer.name != step.name and not subject.comes_before(writer.name, step.name):
                cause = f"{step.name} reads what {writer.name} writes, and does not wait for it"
                yield Violation(pointer, cause, f"refer to the output of {writer.name}, or add it to DependsOn")


@rule("REF016", Severity.WARNING)
def same_place(subject: Subject) -> Iterator[Violation]:
    """Two outputs to one place.

    The later one overwrites files of the same name, and a reader of one gets the files of both. Steps in the two
    branches of a condition never run both.
    """
    writers: dict[str, list[Step]] = {}
    for step in subject.steps:
        for pointer, address in _outputs(subject, step) if step.type in ("Processing", "Transform") else ():
            before = writers.setdefault(address.rstrip("/"), [])
            other = next((writer for writer in before if not _exclude_each_other(writer, step)), None)
            before.append(step)
            if other:
                whose = "another output of it" if other is step else other.name
                cause = f"{step.name} writes where {whose} writes, too"
                yield Violation(pointer, cause, "give each output a prefix of its own")


def _outputs(subject: Subject, step: Step) -> Iterator[tuple[str, str]]:
    pointer = f"{step.pointer}/Arguments/ProcessingOutputConfig/Outputs"
    for index, output in entries(at(step.arguments, "ProcessingOutputConfig", "Outputs")):
        yield from _address(subject, at(output, "S3Output", "S3Uri"), f"{pointer}/{index}/S3Output/S3Uri")
    address = at(step.arguments, "TransformOutput", "S3OutputPath")
    yield from _address(subject, address, f"{step.pointer}/Arguments/TransformOutput/S3OutputPath")


def _models(subject: Subject, step: Step) -> Iterator[tuple[str, str]]:
    """Where training jobs put their models; in a whole bucket there is other data, too."""
    for job in subject.jobs_of.get(step.name, ()):
        path = ("OutputDataConfig", "S3OutputPath")
        for pointer, address in _address(subject, job.get(*path), job.pointer_to(*path)) if job.trains else ():
            if address.removeprefix("s3://").rstrip("/").count("/"):
                yield pointer, address


def _around(address: str) -> Iterator[str]:
    """The prefixes that an address is below, the longest first; not a whole bucket, nor what a script may be beside."""
    parts = address.split("/")
    if address.startswith("s3://") and not address.endswith(_SCRIPTS):
        yield from ("/".join(parts[:length]) for length in range(len(parts) - 1, 3, -1))


def _exclude_each_other(one: Step, other: Step) -> bool:
    """Whether two steps are in different branches of one condition."""
    branches = dict(one.branch_path)
    return any(branches.get(condition, branch) != branch for condition, branch in other.branch_path)


def _inputs(subject: Subject, step: Step) -> Iterator[tuple[str, str]]:
    for pointer, value in subject.inputs(step):
        yield from _address(subject, value, pointer)


def _address(subject: Subject, value: object, pointer: str) -> Iterator[tuple[str, str]]:
    """An address as a text to compare, with its pointer; nothing if it comes from another step."""
    text = subject.plain(value)
    if isinstance(text, str):
        yield pointer, text
    elif value and not any(
        isinstance(reference, (StepReference, JsonGet)) for reference in subject.references_in(value)
    ):
        yield pointer, json.dumps(value, sort_keys=True)


def _cycles(dependencies: Mapping[str, frozenset[str]]) -> Iterator[list[str]]:
    """The groups of steps that wait for each other, by Tarjan's algorithm; without recursion, as chains can be long."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    for root in dependencies:
        work = [] if root in index else [(root, iter(sorted(dependencies[root])))]
        while work:
            name, before = work[-1]
            if name not in index:
                index[name] = low[name] = len(index)
                stack.append(name)
                on_stack.add(name)
            unvisited = next(
                (other for other in before if other not in index or _lower(name, other, low, index, on_stack)), None
            )
            if unvisited is not None:
                work.append((unvisited, iter(sorted(dependencies[unvisited]))))
                continue
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[name])
            if low[name] == index[name]:
                yield from _pop_cycle(name, stack, on_stack, dependencies)


def _lower(name: str, other: str, low: dict[str, int], index: dict[str, int], on_stack: set[str]) -> bool:
    if other in on_stack:
        low[name] = min(low[name], index[other])
    return False


def _pop_cycle(
    name: str, stack: list[str], on_stack: set[str], dependencies: Mapping[str, frozenset[str]]
) -> Iterator[list[str]]:
    group = [stack.pop()]
    while group[-1] != name:
        group.append(stack.pop())
    on_stack.difference_update(group)
    if len(group) > 1 or name in dependencies[name]:
        yield group[::-1]
