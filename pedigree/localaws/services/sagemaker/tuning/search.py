"""Which values a trial tries: points that no earlier trial has tried, drawn as the strategy has it.

Nothing of a search is kept in memory: the same trials and the same seed give the same next point, whether or not
there was a restart between them.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence

from pedigree.localaws.services.sagemaker.tuning.plan import Plan
from pedigree.localaws.services.sagemaker.tuning.ranges import Choice, Dimension, combinations, points
from pedigree.localaws.services.sagemaker.tuning.trials import Trial

_DRAWS = 16
_SMALL_SPACE = 4_096


def next_point(plan: Plan, definition: int, number: int, trials: Sequence[Trial]) -> Mapping[str, str]:
    """The tuned hyperparameters of a trial."""
    space = plan.definitions[definition].space
    alike = [one for one in trials if one.definition == definition and _is_of(space, one)]
    tried = [dict(one.tuned) for one in alike]
    if plan.strategy == "Grid":
        return next(point for point in points(space) if point not in tried)
    from pedigree.localaws.services.sagemaker.tuning.sampling import (
        drawn,  # imports Optuna, for which a start must not wait
    )

    candidates = (drawn(plan, definition, f"{plan.seed} {number} {draw}", alike) for draw in range(_DRAWS))
    chance = random.Random(f"{plan.seed} {number}")  # noqa: S311  # a search, no secret
    every = itertools.chain(candidates, itertools.islice(_any(space, tried, chance), _DRAWS))
    # A range may be so narrow that hardly any number lies in it: then a point is tried again.
    return next((point for point in every if point not in tried), None) or next(_any(space, [], chance))


def _is_of(space: Sequence[Dimension], trial: Trial) -> bool:
    return len(space) == len(trial.tuned) and all(one.holds(trial.tuned.get(one.name, "")) for one in space)


def _any(
    space: Sequence[Dimension], tried: Sequence[Mapping[str, str]], chance: random.Random
) -> Iterator[Mapping[str, str]]:
    """Any points; of a small space, which may nearly be used up, those that are left."""
    if combinations(space) <= _SMALL_SPACE:
        yield chance.choice([point for point in points(space) if point not in tried])
    while True:
        yield {
            one.name: chance.choice(one.values) if isinstance(one, Choice) else one.text(chance.uniform(*one.bounds))
            for one in space
        }
