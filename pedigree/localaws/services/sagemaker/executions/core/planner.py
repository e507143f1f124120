"""Decides which steps start next, and when an execution is over.

A step starts when everything it waits for has ended as required: the sources of its data have succeeded, the condition
around it took its branch, and its DependsOn have ended in the way that each names. A step for which that can no longer
come true never starts, nor does what waits for it. After a failure only steps start that wait for a failure; what runs
may finish.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from pedigree.language.definition import Definition
from pedigree.language.errors import DefinitionError
from pedigree.language.graph import edges
from pedigree.language.iteration import body

StepStatus = Literal["Starting", "Executing", "Stopping", "Stopped", "Failed", "Succeeded"]
ExecutionStatus = Literal["Executing", "Stopping", "Stopped", "Failed", "Succeeded", "CompletedWithFailures"]

STEPS_FAILED = "Step failure: One or multiple steps failed."
"""Why an execution has failed, in AWS's words; which steps, and why, is in the list of its steps."""
RUNNING: frozenset[str] = frozenset({"Starting", "Executing", "Stopping"})
_FITTING: Mapping[str, frozenset[str]] = {
    "Completed": frozenset({"Succeeded"}),
    "Failed": frozenset({"Failed"}),
    "Stopped": frozenset({"Stopped"}),
    "Any": frozenset({"Succeeded", "Failed", "Stopped"}),
}


@dataclass(frozen=True)
class StepDependency:
    """What a step waits for: another step that ends with a fitting status, or a condition that takes a branch."""

    step: str
    fitting: frozenset[str]
    branch: bool | None = None


@dataclass(frozen=True)
class Graph:
    """The dependencies of steps, in an order in which each step comes after those that it waits for."""

    waits: Mapping[str, tuple[StepDependency, ...]]

    def only(self, steps: Collection[str]) -> Graph:
        """The graph of some of the steps; what they wait for outside of it is fulfilled."""
        return Graph(
            {
                name: tuple(wait for wait in waits if wait.step in steps)
                for name, waits in self.waits.items()
                if name in steps
            }
        )

    @cached_property
    def followers(self) -> Mapping[str, Sequence[tuple[str, StepDependency]]]:
        """The steps that wait for a step, each with what it waits for."""
        followers: dict[str, list[tuple[str, StepDependency]]] = {name: [] for name in self.waits}
        for name, waits in self.waits.items():
            for wait in waits:
                followers[wait.step].append((name, wait))
        return followers

    def catches_failure(self, step: str) -> bool:
        """Whether another step waits for the failure of this one."""
        return any("Failed" in wait.fitting for _, wait in self.followers.get(step, ()))


@dataclass(frozen=True)
class StepProgress:
    """How far one step is, and the branch that a condition took."""

    status: StepStatus
    branch: bool | None = None


@dataclass(frozen=True)
class Admit:
    """Start a step."""

    step: str


@dataclass(frozen=True)
class EndExecution:
    """The execution is over."""

    status: ExecutionStatus
    reason: str = ""


Action: TypeAlias = Admit | EndExecution


def graph(definition: Definition) -> Graph:
    """The graph of a definition; DefinitionError if steps wait for each other."""
    waits: dict[str, list[StepDependency]] = {step.name: [] for step in definition.all_steps()}
    for edge in edges(definition):
        if edge.is_branch:
            waits[edge.target].append(StepDependency(edge.source, _FITTING["Completed"], edge.reason == "true"))
        elif edge.reason == "data":
            waits[edge.target].append(StepDependency(edge.source, _FITTING["Completed"]))
    for step in definition.all_steps():
        inner = body(step)
        own = {each.name for each in inner}
        waits[step.name] += [
            StepDependency(other.step, _FITTING.get(other.trigger, frozenset()))
            for each in (step, *inner)
            for other in each.depends_on
            if other.step not in own
        ]
    return Graph({name: tuple(waits[name]) for name in _sorted(waits)})


class StepSchedule:
    """The next actions of an execution. It is updated with each step's end, which costs no more than its followers."""

    def __init__(self, graph: Graph, steps: Mapping[str, StepProgress] | None = None) -> None:
        self._graph = graph
        self._started: set[str] = set()
        self._running: set[str] = set()
        self._failed: set[str] = set()
        self._is_stopped = False
        self._places = {name: place for place, name in enumerate(graph.waits)}
        self._names = tuple(graph.waits)
        self._missing = {name: len(waits) for name, waits in graph.waits.items()}
        self._ready = [place for place, name in enumerate(self._names) if not self._missing[name]]
        for name, progress in (steps or {}).items():
            self.record(name, progress)

    def record(self, name: str, progress: StepProgress) -> None:
        """Record that a step has started, or has got further."""
        if name not in self._started:
            self._started.add(name)
            self._take_from_ready(name)
        if progress.status in RUNNING:
            self._running.add(name)
            return
        self._running.discard(name)
        if progress.status == "Failed":
            self._failed.add(name)
        self._is_stopped |= progress.status == "Stopped"
        for follower, wait in self._graph.followers.get(name, ()):
            if progress.status in wait.fitting and wait.branch in (None, progress.branch):
                self._end_wait(follower)

    def next_actions(self, parallel_steps: int, *, is_stopping: bool = False) -> list[Action]:
        """The steps to admit, or the end; nothing while all there is to do is wait."""
        ready = [] if is_stopping else self._startable()
        if ready:
            free = max(0, parallel_steps - len(self._running))
            return [Admit(self._names[place]) for place in ready[:free]]
        return [] if self._running else [self._end(is_stopping=is_stopping)]

    def _end_wait(self, name: str) -> None:
        """Note that one wait of a step is over. A wait that cannot end stays, so its step never starts."""
        self._missing[name] -= 1
        if not self._missing[name] and name not in self._started:
            insort(self._ready, self._places[name])

    def _take_from_ready(self, name: str) -> None:
        place = self._places.get(name, len(self._names))
        index = bisect_left(self._ready, place)
        if index < len(self._ready) and self._ready[index] == place:
            del self._ready[index]

    def _startable(self) -> Sequence[int]:
        """The steps that may start; once one has failed, only those that a failure leads to."""
        if not self._failed:
            return self._ready
        return [place for place in self._ready if self._follows_failure(self._names[place])]

    def _follows_failure(self, name: str) -> bool:
        """Whether a step comes after a failure that is waited for, directly or through steps that have run."""
        before = deque(self._graph.waits[name])
        visited: set[str] = set()
        while before:
            wait = before.popleft()
            if wait.step in visited:
                continue
            visited.add(wait.step)
            if wait.step in self._failed:
                return True
            before.extend(earlier for earlier in self._graph.waits[wait.step] if earlier.step in self._started)
        return False

    def _end(self, *, is_stopping: bool) -> EndExecution:
        if self._failed and all(self._graph.catches_failure(name) for name in self._failed):
            return EndExecution("CompletedWithFailures")
        if self._failed:
            return EndExecution("Failed", STEPS_FAILED)
        return EndExecution("Stopped" if is_stopping or self._is_stopped else "Succeeded")


def _sorted(waits: Mapping[str, list[StepDependency]]) -> Iterator[str]:
    """The steps in the order of the document, but each after all that it waits for."""
    followers: dict[str, list[str]] = {name: [] for name in waits}
    missing = {name: len({wait.step for wait in each}) for name, each in waits.items()}
    for name, each in waits.items():
        for step in dict.fromkeys(wait.step for wait in each):
            if step not in followers:
                raise DefinitionError(f"{name} depends on {step}, and there is no such step")
            followers[step].append(name)
    free = deque(name for name, count in missing.items() if not count)
    while free:
        name = free.popleft()
        yield name
        del missing[name]
        for follower in followers[name]:
            missing[follower] -= 1
            if not missing[follower]:
                free.append(follower)
    if missing:
        raise DefinitionError(
            f"the steps {', '.join(missing)} wait for each other in a circle; no order serves them all"
        )
