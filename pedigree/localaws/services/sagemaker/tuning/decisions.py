"""What follows in a search: which trials begin, which are given up, and whether it is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pedigree.localaws.services.sagemaker.tuning.early_stopping import is_hopeless
from pedigree.localaws.services.sagemaker.tuning.plan import Plan
from pedigree.localaws.services.sagemaker.tuning.ranges import combinations
from pedigree.localaws.services.sagemaker.tuning.trials import Trial, best, not_improving

# After so many trials of which none has succeeded, no further one begins.
_ATTEMPTS = 5
_DETAILS = "Please take a look at the training job failures to get more details."


@dataclass(frozen=True)
class Begin:
    """A trial begins."""

    number: int
    definition: int


@dataclass(frozen=True)
class GiveUp:
    """A running trial is stopped."""

    trial: Trial


@dataclass(frozen=True)
class End:
    """The search is over."""

    status: str
    reason: str = ""


Action: TypeAlias = Begin | GiveUp | End


def next_actions(plan: Plan, trials: Sequence[Trial], seconds: float, *, is_stopping: bool = False) -> list[Action]:
    """What to do now, so many seconds after the search began."""
    running = [one for one in trials if not one.is_over]
    is_ending = is_stopping or is_enough(plan, trials) or seconds >= plan.seconds
    given_up = [GiveUp(one) for one in running if not one.is_given_up and (is_ending or is_hopeless(plan, one, trials))]
    begun = [] if is_ending or _is_in_vain(trials) else _begun(plan, trials, plan.parallel - len(running))
    if not running and not begun:
        return [_end(plan, trials, is_stopping=is_stopping)]
    return [*given_up, *begun]


def is_enough(plan: Plan, trials: Sequence[Trial]) -> bool:
    """Whether what was asked for has been found, or does not get better."""
    if not_improving(plan, trials) >= plan.patience:
        return True
    found = best(plan, trials)
    if plan.target is None or found is None or found.objective is None:
        return False
    loss = plan.definitions[found.definition].objective.loss
    return loss(found.objective) <= loss(plan.target)


def _begun(plan: Plan, trials: Sequence[Trial], free: int) -> list[Begin]:
    """The trials that begin: each of the definition that has had fewest, as long as it has points left."""
    counts = [sum(one.definition == index for one in trials) for index in range(len(plan.definitions))]
    most = [combinations(one.space) for one in plan.definitions]
    begun: list[Begin] = []
    while len(begun) < free and len(trials) + len(begun) < plan.trials:
        open_ones = [index for index, count in enumerate(counts) if count < most[index]]
        chosen = min(open_ones, key=lambda index: counts[index])
        counts[chosen] += 1
        begun.append(Begin(len(trials) + len(begun) + 1, chosen))
    return begun


def _is_in_vain(trials: Sequence[Trial]) -> bool:
    over = [one for one in trials if one.is_over]
    return len(over) >= _ATTEMPTS and not any(one.has_succeeded for one in over)


def _end(plan: Plan, trials: Sequence[Trial], *, is_stopping: bool) -> End:
    if is_stopping:
        return End("Stopped")
    if any(one.has_succeeded for one in trials):
        return End("Completed")
    if _is_in_vain(trials) and len(trials) < plan.trials:
        return End("Failed", f"No training job succeeded after {len(trials)} attempts. {_DETAILS}")
    return End("Failed", f"All training jobs failed. {_DETAILS}")
