"""Decides whether a running trial is stopped early, by comparing its values with those of other trials at that point.

Each value that a trial logs of its objective is one step of it: usually one epoch.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from pedigree.localaws.services.sagemaker.tuning.plan import Objective, SearchPlan
from pedigree.localaws.services.sagemaker.tuning.trials import Trial

# The median of fewer ended trials says too little.
_FEWEST = 3
# One of so many trials at a rung continues; the next rung is so many times further.
_REDUCTION = 3


def is_hopeless(plan: SearchPlan, trial: Trial, trials: Sequence[Trial]) -> bool:
    """Whether a running trial should be stopped now."""
    others = [other for other in trials if other.definition == trial.definition and other.number != trial.number]
    objective = plan.definitions[trial.definition].objective
    if plan.strategy == "Hyperband":
        return _is_out_of_band(plan.resource, objective, trial, others)
    return plan.stops_early and _is_below_median(objective, trial, others)


def _is_below_median(objective: Objective, trial: Trial, others: Sequence[Trial]) -> bool:
    """Whether its last value is worse than the median of the averages of ended trials up to the same step."""
    step = len(trial.series)
    earlier = [other.series[:step] for other in others if other.status == "Completed" and other.series]
    if not step or len(earlier) < _FEWEST:
        return False
    averages = [statistics.fmean(map(objective.loss, series)) for series in earlier]
    return objective.loss(trial.series[-1]) > statistics.median(averages)


def _is_out_of_band(resource: tuple[int, int], objective: Objective, trial: Trial, others: Sequence[Trial]) -> bool:
    """Whether it has used up its resource, or is not among the best of its bracket at a rung that it has reached."""
    if len(trial.series) > resource[1]:
        return True
    mine = bracket(resource, trial.number)
    rivals = [other for other in others if bracket(resource, other.number) == mine]
    return any(
        len(trial.series) >= rung and not _is_among_best(objective, trial, rivals, rung)
        for rung in rungs(resource, mine)
    )


def _is_among_best(objective: Objective, trial: Trial, rivals: Sequence[Trial], rung: int) -> bool:
    losses = [objective.loss(rival.series[rung - 1]) for rival in rivals if len(rival.series) >= rung]
    own = objective.loss(trial.series[rung - 1])
    better = sum(loss < own for loss in losses)
    return better < max(1, (len(losses) + 1) // _REDUCTION)


def rungs(resource: tuple[int, int], index: int) -> list[int]:
    """The steps at which a bracket's trials are compared: a later bracket has later rungs, and the last has none."""
    least, most = resource
    steps, rung = [], least * _REDUCTION**index
    while rung < most:
        steps.append(rung)
        rung *= _REDUCTION
    return steps


def bracket(resource: tuple[int, int], number: int) -> int:
    """The bracket of a trial. All use about as much of the resource, so brackets that stop sooner have more trials."""
    last = _last_bracket(resource)
    shares = [math.ceil((last + 1) / (last - index + 1) * _REDUCTION ** (last - index)) for index in range(last + 1)]
    place = (number - 1) % sum(shares)
    for index, share in enumerate(shares):
        if place < share:
            return index
        place -= share
    raise AssertionError(place)


def _last_bracket(resource: tuple[int, int]) -> int:
    """The index of the bracket whose trials are never compared."""
    index = 0
    while rungs(resource, index):
        index += 1
    return index
