"""When a running trial is given up: by what it has told so far, beside what others told at the same point.

A trial's values of its objective are its steps: the first is what it told after its first epoch, and so on.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from pedigree.localaws.services.sagemaker.tuning.plan import Objective, Plan
from pedigree.localaws.services.sagemaker.tuning.trials import Trial

# Fewer ended trials say too little about what is usual.
_FEWEST = 3
# Of the trials that come to a rung, one of so many goes on; the next rung is so many times as far.
_REDUCTION = 3


def is_hopeless(plan: Plan, trial: Trial, trials: Sequence[Trial]) -> bool:
    """Whether a running trial should be stopped now."""
    alike = [one for one in trials if one.definition == trial.definition and one.number != trial.number]
    objective = plan.definitions[trial.definition].objective
    if plan.strategy == "Hyperband":
        return _is_out_of_band(plan.resource, objective, trial, alike)
    return plan.stops_early and _is_below_median(objective, trial, alike)


def _is_below_median(objective: Objective, trial: Trial, others: Sequence[Trial]) -> bool:
    """Worse than the median of what the ended trials averaged up to the same step."""
    step = len(trial.series)
    earlier = [one.series[:step] for one in others if one.status == "Completed" and one.series]
    if not step or len(earlier) < _FEWEST:
        return False
    averages = [statistics.fmean(map(objective.loss, series)) for series in earlier]
    return objective.loss(trial.series[-1]) > statistics.median(averages)


def _is_out_of_band(resource: tuple[int, int], objective: Objective, trial: Trial, others: Sequence[Trial]) -> bool:
    """Beyond the most that is allowed, or not among the best of its bracket at a rung that it has come to."""
    if len(trial.series) > resource[1]:
        return True
    mine = bracket(resource, trial.number)
    rivals = [one for one in others if bracket(resource, one.number) == mine]
    return any(
        len(trial.series) >= rung and not _is_among_best(objective, trial, rivals, rung)
        for rung in rungs(resource, mine)
    )


def _is_among_best(objective: Objective, trial: Trial, rivals: Sequence[Trial], rung: int) -> bool:
    told = [objective.loss(one.series[rung - 1]) for one in rivals if len(one.series) >= rung]
    own = objective.loss(trial.series[rung - 1])
    better = sum(loss < own for loss in told)
    return better < max(1, (len(told) + 1) // _REDUCTION)


def rungs(resource: tuple[int, int], index: int) -> list[int]:
    """The steps at which a bracket's trials are compared: later ones for a later bracket, and none at the end."""
    least, most = resource
    found, rung = [], least * _REDUCTION**index
    while rung < most:
        found.append(rung)
        rung *= _REDUCTION
    return found


def bracket(resource: tuple[int, int], number: int) -> int:
    """The bracket of a trial: each uses about as much of the resource, so those that stop sooner have more trials."""
    last = _last_bracket(resource)
    shares = [math.ceil((last + 1) / (last - index + 1) * _REDUCTION ** (last - index)) for index in range(last + 1)]
    place = (number - 1) % sum(shares)
    for index, share in enumerate(shares):
        if place < share:
            return index
        place -= share
    raise AssertionError(place)


def _last_bracket(resource: tuple[int, int]) -> int:
    """The bracket whose trials are never compared."""
    index = 0
    while rungs(resource, index):
        index += 1
    return index
