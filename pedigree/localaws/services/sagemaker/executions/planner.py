"""Which steps start next, and when an execution is over: definition and progress in, actions out.

A step starts when all that it waits for has ended as it should: its data's sources have succeeded, the condition
around it took its branch, and what it was told to wait for ended in the way that was asked for. A step for which that
can no longer come true never starts, nor does what waits for it. After a failure nothing starts but what waits for a
failure; what runs is let finish.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from pedigree.language.definition import Definition
from pedigree.language.errors import DefinitionError
from pedigree.language.graph import edges

StepStatus = Literal["Starting", "Executing", "Stopping", "Stopped", "Failed", "Succeeded"]
ExecutionStatus = Literal["Executing", "Stopping", "Stopped", "Failed", "Succeeded", "CompletedWithFailures"]
Fate = Literal["ready", "waiting", "never"]

RUNNING: frozenset[str] = frozenset({"Starting", "Executing", "Stopping"})
_FITTING: Mapping[str, frozenset[str]] = {
    "Completed": frozenset({"Succeeded"}),
    "Failed": frozenset({"Failed"}),
    "Stopped": frozenset({"Stopped"}),
    "Any": frozenset({"Succeeded", "Failed", "Stopped"}),
}


@dataclass(frozen=True)
class Wait:
    """What a step waits for: another step that ends in a fitting way, or a condition that takes a branch."""

    step: str
    fitting: frozenset[str]
    branch: bool | None = None


@dataclass(frozen=True)
class Graph:
    """Who waits for whom, in an order in which nobody stands before what it waits for."""

    waits: Mapping[str, tuple[Wait, ...]]

    def only(self, steps: Collection[str]) -> Graph:
        """The graph of some of the steps; what they wait for outside of them is there already."""
        return Graph(
            {
                name: tuple(wait for wait in waits if wait.step in steps)
                for name, waits in self.waits.items()
                if name in steps
            }
        )

    def catches_failure(self, step: str) -> bool:
        """Whether some step waits for the failure of another."""
        return any(one.step == step and "Failed" in one.fitting for waits in self.waits.values() for one in waits)


@dataclass(frozen=True)
class StepProgress:
    """How far one step is, and the branch that a condition took."""

    status: StepStatus
    branch: bool | None = None
    reason: str = ""


@dataclass(frozen=True)
class Progress:
    """How far an execution is: the steps that have started, by name."""

    steps: Mapping[str, StepProgress] = field(default_factory=dict)
    is_stopping: bool = False


@dataclass(frozen=True)
class Admit:
    """Start a step."""

    step: str


@dataclass(frozen=True)
class End:
    """The execution is over."""

    status: ExecutionStatus
    reason: str = ""


Action: TypeAlias = Admit | End


def graph(definition: Definition) -> Graph:
    """Who waits for whom in a definition; DefinitionError if some wait for each other."""
    waits: dict[str, list[Wait]] = {step.name: [] for step in definition.all_steps()}
    for edge in edges(definition):
        if edge.is_branch:
            waits[edge.target].append(Wait(edge.source, _FITTING["Completed"], edge.why == "true"))
        elif edge.why == "data":
            waits[edge.target].append(Wait(edge.source, _FITTING["Completed"]))
    for step in definition.all_steps():
        waits[step.name] += [Wait(one.step, _FITTING.get(one.trigger, frozenset())) for one in step.depends_on]
    return Graph({name: tuple(waits[name]) for name in _sorted(waits)})


def next_actions(graph: Graph, progress: Progress, parallel_steps: int) -> list[Action]:
    """What happens now: steps that start, or the end; nothing while all there is to do is wait."""
    fates = fates_of(graph, progress)
    running = sum(one.status in RUNNING for one in progress.steps.values())
    ready = [] if progress.is_stopping else _startable(graph, progress, fates)
    if ready:
        return [Admit(name) for name in ready[: max(0, parallel_steps - running)]]
    return [] if running else [_end(graph, progress)]


def fates_of(graph: Graph, progress: Progress) -> Mapping[str, Fate]:
    """For each step that has not started: whether it can now, later, or never."""
    fates: dict[str, Fate] = {}
    for name, waits in graph.waits.items():
        if name not in progress.steps:
            each = {_fate(wait, progress, fates) for wait in waits}
            fates[name] = "never" if "never" in each else "waiting" if "waiting" in each else "ready"
    return fates


def _fate(wait: Wait, progress: Progress, fates: Mapping[str, Fate]) -> Fate:
    state = progress.steps.get(wait.step)
    if state is None:
        return "never" if fates[wait.step] == "never" else "waiting"
    if state.status in RUNNING:
        return "waiting"
    fits = state.status in wait.fitting and wait.branch in (None, state.branch)
    return "ready" if fits else "never"


def _startable(graph: Graph, progress: Progress, fates: Mapping[str, Fate]) -> list[str]:
    """The steps that may start; once one has failed, only those that a failure leads to."""
    ready = [name for name, fate in fates.items() if fate == "ready"]
    if not any(one.status == "Failed" for one in progress.steps.values()):
        return ready
    return [name for name in ready if _follows_failure(graph, progress, name)]


def _follows_failure(graph: Graph, progress: Progress, name: str) -> bool:
    """Whether a step comes after a failure that somebody waits for, directly or through steps that have run."""
    before = deque(graph.waits[name])
    seen: set[str] = set()
    while before:
        wait = before.popleft()
        if wait.step in seen:
            continue
        seen.add(wait.step)
        if progress.steps[wait.step].status == "Failed":
            return True
        before.extend(one for one in graph.waits[wait.step] if one.step in progress.steps)
    return False


def _end(graph: Graph, progress: Progress) -> End:
    failed = [name for name, one in progress.steps.items() if one.status == "Failed"]
    if failed and all(graph.catches_failure(name) for name in failed):
        return End("CompletedWithFailures")
    if failed:
        reason = progress.steps[failed[0]].reason
        return End("Failed", reason or f"Step failure: One or multiple steps failed: {', '.join(failed)}")
    stopped = progress.is_stopping or any(one.status == "Stopped" for one in progress.steps.values())
    return End("Stopped" if stopped else "Succeeded")


def _sorted(waits: Mapping[str, list[Wait]]) -> Iterator[str]:
    """The steps, none before what it waits for, else in the order of the document."""
    followers: dict[str, list[str]] = {name: [] for name in waits}
    missing = {name: len({wait.step for wait in ones}) for name, ones in waits.items()}
    for name, ones in waits.items():
        for step in dict.fromkeys(wait.step for wait in ones):
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
