"""Chooses the values of the next trial: a point that no earlier trial has tried, drawn by the search's strategy.

A search keeps nothing in memory: the same trials and the same seed give the same next point, also after a restart.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence

from pedigree.localaws.services.sagemaker.tuning.plan import SearchPlan
from pedigree.localaws.services.sagemaker.tuning.ranges import Choice, Dimension, combinations, points
from pedigree.localaws.services.sagemaker.tuning.trials import Trial

_DRAWS = 16
_SMALL_SPACE = 4_096


def next_point(plan: SearchPlan, definition: int, number: int, trials: Sequence[Trial]) -> Mapping[str, str]:
    """The tuned hyperparameters of a trial."""
    space = plan.definitions[definition].space
    alike = [trial for trial in trials if trial.definition == definition and _is_in(space, trial)]
    tried = [dict(trial.tuned) for trial in alike]
    if plan.strategy == "Grid":
        return next(point for point in points(space) if point not in tried)
    from pedigree.localaws.services.sagemaker.tuning.sampling import (
        drawn,  # Optuna takes long to import, and the daemon's start must not wait for it
    )

    candidates = (drawn(plan, definition, f"{plan.seed} {number} {draw}", alike) for draw in range(_DRAWS))
    chance = random.Random(f"{plan.seed} {number}")  # noqa: S311  # a search, no secret
    every = itertools.chain(candidates, itertools.islice(_any(space, tried, chance), _DRAWS))
    # A range can be so narrow that it contains hardly any number: then a point is tried again.
    return next((point for point in every if point not in tried), None) or next(_any(space, [], chance))


def _is_in(space: Sequence[Dimension], trial: Trial) -> bool:
    if len(space) != len(trial.tuned):
        return False
    return all(dimension.holds(trial.tuned.get(dimension.name, "")) for dimension in space)


def _any(
    space: Sequence[Dimension], tried: Sequence[Mapping[str, str]], chance: random.Random
) -> Iterator[Mapping[str, str]]:
    """Random points; of a small space, which may be nearly used up, one of those that are left."""
    if combinations(space) <= _SMALL_SPACE:
        yield chance.choice([point for point in points(space) if point not in tried])
    while True:
        yield {
            dimension.name: chance.choice(dimension.values)
            if isinstance(dimension, Choice)
            else dimension.text(chance.uniform(*dimension.bounds))
            for dimension in space
        }
