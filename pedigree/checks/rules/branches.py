"""Branches: a step runs only where all that it waits for runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

from pedigree.checks.finding import Severity, Violation
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.definition import Step
from pedigree.language.expressions import JsonGet, StepReference

_Branches = frozenset[tuple[str, bool]]


@rule("REF010", Severity.ERROR)
def never_runs(subject: Subject) -> Iterator[Violation]:
    """Step that can never run.

    It waits for steps in both branches of a condition, of which only one runs: a step starts when all that it waits
    for have succeeded. The service accepts the definition, and the step never starts. Give each branch its own.
    """
    needed = subject.view(_needed)
    for step in subject.definition.by_name().values():
        is_first = not any(_both(needed[name]) for name in subject.direct_dependencies[step.name])
        if _both(needed[step.name]) and is_first:
            pointer, condition = _first_contradiction(subject, step)
            cause = f"{step.name} needs both branches of {condition}, and only one of them runs"
            yield Violation(pointer, cause, "give each branch a step of its own")


@rule("REF017", Severity.NOTE)
def runs_sometimes(subject: Subject) -> Iterator[Violation]:
    """Step outside of the branch that it waits for.

    It runs only where the condition takes that branch, and is left out otherwise; the execution still succeeds.
    """
    needed = subject.view(_needed)
    steps = subject.definition.by_name()
    for step in steps.values():
        own = frozenset(step.branch_path)
        for pointer, name in () if _both(needed[step.name]) else subject.view(_waits).get(step.name, ()):
            if foreign := [place for place in steps[name].branch_path if place not in own]:
                condition, branch = foreign[0]
                where = f"takes the {'if' if branch else 'else'} branch, where {name} is"
                yield Violation(pointer, f"{step.name} runs only if {condition} {where}", "move it into that branch")
                break


def _needed(subject: Subject) -> Mapping[str, _Branches]:
    """For each step, the branches that must be taken before it can run."""
    needed: dict[str, _Branches] = {step.name: frozenset(step.branch_path) for step in subject.steps}
    followers: dict[str, list[str]] = {}
    for name, before in subject.direct_dependencies.items():
        for other in before:
            followers.setdefault(other, []).append(name)
    to_visit = deque(name for name, branches in needed.items() if branches)
    while to_visit:
        name = to_visit.popleft()
        for follower in followers.get(name, ()):
            if not needed[name] <= needed[follower]:
                needed[follower] |= needed[name]
                to_visit.append(follower)
    return needed


def _both(branches: _Branches) -> str:
    """The condition of which both branches are among these, empty if there is none."""
    return next((name for name, branch in sorted(branches) if branch and (name, False) in branches), "")


def _first_contradiction(subject: Subject, step: Step) -> tuple[str, str]:
    needed = subject.view(_needed)
    so_far = frozenset(step.branch_path)
    for pointer, name in subject.view(_waits).get(step.name, ()):
        so_far |= needed[name]
        if condition := _both(so_far):
            return pointer, condition
    return step.pointer, _both(needed[step.name])


def _waits(subject: Subject) -> Mapping[str, list[tuple[str, str]]]:
    """For each step, the steps that it waits for, with the pointers to what names them."""
    steps = subject.definition.by_name()
    waits: dict[str, list[tuple[str, str]]] = {}
    for use in subject.uses:
        if isinstance(use.reference, (StepReference, JsonGet)) and use.reference.step in steps:
            waits.setdefault(use.step.name, []).append((use.pointer, use.reference.step))
    for step in steps.values():
        for index, dependency in enumerate(step.depends_on):
            if dependency.step in steps:
                waits.setdefault(step.name, []).append((f"{step.pointer}/DependsOn/{index}", dependency.step))
    return waits
