"""Decides what follows in a search: which trials start, which are stopped early, and whether the search is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pedigree.localaws.services.sagemaker.tuning.early_stopping import is_hopeless
from pedigree.localaws.services.sagemaker.tuning.plan import SearchPlan
from pedigree.localaws.services.sagemaker.tuning.ranges import combinations
from pedigree.localaws.services.sagemaker.tuning.trials import Trial, best, not_improving

# After so many trials without a success, no further trial starts.
_ATTEMPTS = 5
_DETAILS = "Please take a look at the training job failures to get more details."


@dataclass(frozen=True)
class StartTrial:
    """Start a trial."""

    number: int
    definition: int


@dataclass(frozen=True)
class StopTrial:
    """Stop a running trial early."""

    trial: Trial


@dataclass(frozen=True)
class EndSearch:
    """End the search."""

    status: str
    reason: str = ""


Action: TypeAlias = StartTrial | StopTrial | EndSearch


def next_actions(
    plan: SearchPlan, trials: Sequence[Trial], seconds: float, *, is_stopping: bool = False
) -> list[Action]:
    """The next actions, at a number of seconds after the start of the search."""
    running = [trial for trial in trials if not trial.is_over]
    is_ending = is_stopping or is_enough(plan, trials) or seconds >= plan.seconds
    active = [trial for trial in running if not trial.is_given_up]
    stopped = [StopTrial(trial) for trial in active if is_ending or is_hopeless(plan, trial, trials)]
    started = [] if is_ending or _is_futile(trials) else _started(plan, trials, plan.parallel - len(running))
    if not running and not started:
        return [_end(plan, trials, is_stopping=is_stopping)]
    return [*stopped, *started]


def is_enough(plan: SearchPlan, trials: Sequence[Trial]) -> bool:
    """Whether the target is reached, or the results have stopped improving."""
    if not_improving(plan, trials) >= plan.patience:
        return True
    best_trial = best(plan, trials)
    if plan.target is None or best_trial is None or best_trial.objective is None:
        return False
    loss = plan.definitions[best_trial.definition].objective.loss
    return loss(best_trial.objective) <= loss(plan.target)


def _started(plan: SearchPlan, trials: Sequence[Trial], free: int) -> list[StartTrial]:
    """The trials that start: each of the definition with the fewest trials that has points left."""
    counts = [sum(trial.definition == index for trial in trials) for index in range(len(plan.definitions))]
    most = [combinations(definition.space) for definition in plan.definitions]
    started: list[StartTrial] = []
    while len(started) < free and len(trials) + len(started) < plan.trials:
        unfinished = [index for index, count in enumerate(counts) if count < most[index]]
        chosen = min(unfinished, key=lambda index: counts[index])
        counts[chosen] += 1
        started.append(StartTrial(len(trials) + len(started) + 1, chosen))
    return started


def _is_futile(trials: Sequence[Trial]) -> bool:
    over = [trial for trial in trials if trial.is_over]
    return len(over) >= _ATTEMPTS and not any(trial.has_succeeded for trial in over)


def _end(plan: SearchPlan, trials: Sequence[Trial], *, is_stopping: bool) -> EndSearch:
    if is_stopping:
        return EndSearch("Stopped")
    if any(trial.has_succeeded for trial in trials):
        return EndSearch("Completed")
    if _is_futile(trials) and len(trials) < plan.trials:
        return EndSearch("Failed", f"No training job succeeded after {len(trials)} attempts. {_DETAILS}")
    return EndSearch("Failed", f"All training jobs failed. {_DETAILS}")
