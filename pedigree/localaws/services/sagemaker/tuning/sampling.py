"""Draws points with Optuna, from a study that is made anew of all trials each time.

Importing this module imports Optuna, which takes long.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from pedigree.localaws.services.sagemaker.tuning.plan import Objective, SearchPlan
from pedigree.localaws.services.sagemaker.tuning.ranges import Dimension, Span
from pedigree.localaws.services.sagemaker.tuning.trials import Trial

# The first trials are drawn at random: this part of all trials, within bounds.
_RANDOM_SHARE = 4
_FEWEST_RANDOM, _MOST_RANDOM = 3, 10

# Optuna would log every trial.
optuna.logging.set_verbosity(optuna.logging.WARNING)


def drawn(plan: SearchPlan, definition: int, seed: str, trials: Sequence[Trial]) -> Mapping[str, str]:
    """Draw a point of a definition's space; the same trials and seed give the same point."""
    space, objective = plan.definitions[definition].space, plan.definitions[definition].objective
    axes = {dimension.name: _axis(dimension) for dimension in space}
    study = optuna.create_study(sampler=_sampler(plan, random.Random(seed).getrandbits(32)))  # noqa: S311  # no secret
    study.add_trials([_frozen(trial, space, objective, axes) for trial in trials])
    point = study.ask(axes).params
    return {
        dimension.name: dimension.text(point[dimension.name]) if isinstance(dimension, Span) else point[dimension.name]
        for dimension in space
    }


def _sampler(plan: SearchPlan, seed: int) -> BaseSampler:
    """Random, or an estimate of where good values are; running trials count as bad, so points near them are avoided."""
    if plan.strategy == "Random":
        return RandomSampler(seed=seed)
    first = min(max(int(plan.trials) // _RANDOM_SHARE, _FEWEST_RANDOM), _MOST_RANDOM)
    return TPESampler(seed=seed, n_startup_trials=first, multivariate=True, constant_liar=True)


def _axis(dimension: Dimension) -> BaseDistribution:
    if not isinstance(dimension, Span):
        return CategoricalDistribution(dimension.values)
    low, high = dimension.bounds
    if dimension.is_whole:
        return IntDistribution(int(low), int(high), log=dimension.is_logarithmic)
    return FloatDistribution(low, high, log=dimension.is_logarithmic)


def _frozen(
    trial: Trial, space: Sequence[Dimension], objective: Objective, axes: Mapping[str, BaseDistribution]
) -> FrozenTrial:
    """A trial in Optuna's form."""
    ended = TrialState.COMPLETE if trial.objective is not None else TrialState.FAIL
    return create_trial(
        state=ended if trial.is_over else TrialState.RUNNING,
        value=objective.loss(trial.objective) if trial.objective is not None else None,
        params={
            dimension.name: dimension.position(trial.tuned[dimension.name])
            if isinstance(dimension, Span)
            else trial.tuned[dimension.name]
            for dimension in space
        },
        distributions=dict(axes),
    )
