"""Order: what must have ended before something else starts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from pedigree.checks.finding import Severity, Spot
from pedigree.checks.jobs import at, entries
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.definition import Step
from pedigree.language.expressions import JsonGet, StepReference


@rule("REF011", Severity.ERROR)
def cycle(subject: Subject) -> Iterator[Spot]:
    """Steps wait for each other.

    None of them can ever start. A cycle is made by references and DependsOn together.
    """
    for names in _cycles(subject.direct):
        first = subject.definition.by_name()[names[0]]
        told = " → ".join([*names, names[0]])
        cause = f"{names[0]} waits for itself" if len(names) == 1 else f"these wait for each other: {told}"
        yield Spot(first.pointer, cause, "remove one of the references, or the DependsOn")


@rule("REF013", Severity.WARNING)
def implied(subject: Subject) -> Iterator[Spot]:
    """An order that is only hoped for.

    One step reads the S3 address that another one writes, both as plain text. Nothing says that it waits, so both may
    run at once. Refer to the output of the step instead, which makes the order too.
    """
    written = {uri.rstrip("/"): step for step in subject.steps for _, uri in _outputs(subject, step)}
    for step in subject.steps:
        for pointer, uri in _inputs(subject, step):
            writer = written.get(uri.rstrip("/"))
            if writer and writer.name != step.name and not subject.comes_before(writer.name, step.name):
                cause = f"{step.name} reads what {writer.name} writes, and does not wait for it"
                yield Spot(pointer, cause, f"refer to the output of {writer.name}, or add it to DependsOn")


def _outputs(subject: Subject, step: Step) -> Iterator[tuple[str, str]]:
    pointer = f"{step.pointer}/Arguments/ProcessingOutputConfig/Outputs"
    for index, one in entries(at(step.arguments, "ProcessingOutputConfig", "Outputs")):
        yield from _texts(subject, at(one, "S3Output", "S3Uri"), f"{pointer}/{index}/S3Output/S3Uri")
    path = at(step.arguments, "TransformOutput", "S3OutputPath")
    yield from _texts(subject, path, f"{step.pointer}/Arguments/TransformOutput/S3OutputPath")


def _inputs(subject: Subject, step: Step) -> Iterator[tuple[str, str]]:
    for pointer, value in subject.reads(step):
        yield from _texts(subject, value, pointer)


def _texts(subject: Subject, value: object, pointer: str) -> Iterator[tuple[str, str]]:
    """An address as a text to compare: one that is joined from what the execution knows is one too."""
    text = subject.plain(value)
    if isinstance(text, str):
        yield pointer, text
    elif value and not any(isinstance(one, (StepReference, JsonGet)) for one in subject.references_in(value)):
        yield pointer, json.dumps(value, sort_keys=True)


def _cycles(direct: Mapping[str, frozenset[str]]) -> Iterator[list[str]]:
    """The groups of steps that wait for each other (Tarjan's, without recursion: chains can be long)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    for root in direct:
        work = [] if root in index else [(root, iter(sorted(direct[root])))]
        while work:
            name, before = work[-1]
            if name not in index:
                index[name] = low[name] = len(index)
                stack.append(name)
                on_stack.add(name)
            advanced = next(
                (one for one in before if one not in index or _lower(name, one, low, index, on_stack)), None
            )
            if advanced is not None:
                work.append((advanced, iter(sorted(direct[advanced]))))
                continue
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[name])
            if low[name] == index[name]:
                yield from _group(name, stack, on_stack, direct)


def _lower(name: str, one: str, low: dict[str, int], index: dict[str, int], on_stack: set[str]) -> bool:
    if one in on_stack:
        low[name] = min(low[name], index[one])
    return False


def _group(
    name: str, stack: list[str], on_stack: set[str], direct: Mapping[str, frozenset[str]]
) -> Iterator[list[str]]:
    group = [stack.pop()]
    while group[-1] != name:
        group.append(stack.pop())
    on_stack.difference_update(group)
    if len(group) > 1 or name in direct[name]:
        yield group[::-1]
