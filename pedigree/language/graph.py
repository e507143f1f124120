"""The graph of a definition: which step waits for which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pedigree.language.definition import Definition
from pedigree.language.expressions import JsonGet, StepReference
from pedigree.language.references import Use, uses

Reason = Literal["data", "order", "true", "false"]


@dataclass(frozen=True)
class Edge:
    """One step waits for another: for its data, by DependsOn, or as a branch of a condition."""

    source: str
    target: str
    reason: Reason

    @property
    def is_branch(self) -> bool:
        return self.reason in ("true", "false")


def edges(definition: Definition, found: Iterable[Use] | None = None) -> list[Edge]:
    """Every edge once, in the order of the document; found are the references, where not all can be read."""
    references = uses(definition) if found is None else found
    return list(dict.fromkeys([*_branches(definition), *_order(definition), *_data(definition, references)]))


def upstream(definition: Definition) -> Mapping[str, frozenset[str]]:
    """For every step, all steps that end before it starts."""
    direct: dict[str, set[str]] = {step.name: set() for step in definition.all_steps()}
    for edge in edges(definition):
        direct[edge.target].add(edge.source)
    return {name: frozenset(_closure(name, direct)) for name in direct}


def without_shortcuts(all_edges: list[Edge]) -> list[Edge]:
    """The edges without those that another edge or a longer path implies: what a picture needs to show."""
    with_data = {(edge.source, edge.target) for edge in all_edges if edge.reason == "data"}
    direct: dict[str, set[str]] = {}
    for edge in all_edges:
        direct.setdefault(edge.target, set()).add(edge.source)
    return [
        edge
        for edge in all_edges
        if not (edge.reason == "order" and (edge.source, edge.target) in with_data)
        and not any(edge.source in _closure(other, direct) for other in direct[edge.target] if other != edge.source)
    ]


def _branches(definition: Definition) -> Iterator[Edge]:
    for step in definition.all_steps():
        for reason, branch in (("true", step.if_steps), ("false", step.else_steps)):
            yield from (Edge(step.name, inner.name, reason) for inner in branch)  # type: ignore[arg-type]  # two of the reasons


def _order(definition: Definition) -> Iterator[Edge]:
    steps = definition.by_name()
    for step in steps.values():
        yield from (Edge(before.step, step.name, "order") for before in step.depends_on if before.step in steps)


def _data(definition: Definition, found: Iterable[Use]) -> Iterator[Edge]:
    steps = definition.by_name()
    for use in found:
        if isinstance(use.reference, (StepReference, JsonGet)) and use.reference.step in steps:
            yield Edge(use.reference.step, use.step.name, "data")


def _closure(name: str, direct: Mapping[str, set[str]]) -> set[str]:
    visited: set[str] = set()
    to_visit = list(direct.get(name, ()))
    while to_visit:
        before = to_visit.pop()
        if before not in visited:
            visited.add(before)
            to_visit.extend(direct.get(before, ()))
    return visited
