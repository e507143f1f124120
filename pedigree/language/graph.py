"""The order that a definition implies: which step waits for which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pedigree.language.definition import Definition
from pedigree.language.expressions import JsonGet, StepReference
from pedigree.language.references import uses

Why = Literal["data", "order", "true", "false"]


@dataclass(frozen=True)
class Edge:
    """One step waits for another: for its data, because it was told to, or as a branch of a condition."""

    source: str
    target: str
    why: Why

    @property
    def is_branch(self) -> bool:
        """Whether a condition leads there."""
        return self.why in ("true", "false")


def edges(definition: Definition) -> list[Edge]:
    """Every edge once, in the order of the document."""
    return list(dict.fromkeys([*_branches(definition), *_order(definition), *_data(definition)]))


def upstream(definition: Definition) -> Mapping[str, frozenset[str]]:
    """For every step, all the steps that have ended before it starts."""
    direct: dict[str, set[str]] = {step.name: set() for step in definition.all_steps()}
    for edge in edges(definition):
        direct[edge.target].add(edge.source)
    return {name: frozenset(_closure(name, direct)) for name in direct}


def without_shortcuts(all_edges: list[Edge]) -> list[Edge]:
    """The edges that no longer path makes superfluous: what a picture needs to show."""
    direct: dict[str, set[str]] = {}
    for edge in all_edges:
        direct.setdefault(edge.target, set()).add(edge.source)
    return [
        edge
        for edge in all_edges
        if not any(edge.source in _closure(other, direct) for other in direct[edge.target] if other != edge.source)
    ]


def _branches(definition: Definition) -> Iterator[Edge]:
    for step in definition.all_steps():
        for why, inner in (("true", step.if_steps), ("false", step.else_steps)):
            yield from (Edge(step.name, one.name, why) for one in inner)  # type: ignore[arg-type]  # two of Why's words


def _order(definition: Definition) -> Iterator[Edge]:
    known = definition.by_name()
    for step in known.values():
        yield from (Edge(one.step, step.name, "order") for one in step.depends_on if one.step in known)


def _data(definition: Definition) -> Iterator[Edge]:
    known = definition.by_name()
    for use in uses(definition):
        if isinstance(use.reference, (StepReference, JsonGet)) and use.reference.step in known:
            yield Edge(use.reference.step, use.step.name, "data")


def _closure(name: str, direct: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(direct.get(name, ()))
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(direct.get(one, ()))
    return found
