"""Optuna draws points, told all that is known of a search, each time anew.

Importing this imports Optuna.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from pedigree.localaws.services.sagemaker.tuning.plan import Objective, Plan
from pedigree.localaws.services.sagemaker.tuning.ranges import Dimension, Span
from pedigree.localaws.services.sagemaker.tuning.trials import Trial

# The first trials are drawn at random: one in so many of all, within bounds.
_RANDOM_SHARE = 4
_FEWEST_RANDOM, _MOST_RANDOM = 3, 10

# What it would say of each trial, the service says in its own words.
optuna.logging.set_verbosity(optuna.logging.WARNING)


def drawn(plan: Plan, definition: int, seed: str, trials: Sequence[Trial]) -> Mapping[str, str]:
    """A point of a definition's space; the same trials and seed give the same one."""
    space, objective = plan.definitions[definition].space, plan.definitions[definition].objective
    axes = {one.name: _axis(one) for one in space}
    study = optuna.create_study(sampler=_sampler(plan, random.Random(seed).getrandbits(32)))  # noqa: S311  # no secret
    study.add_trials([_told(one, space, objective, axes) for one in trials])
    found = study.ask(axes).params
    return {one.name: one.text(found[one.name]) if isinstance(one, Span) else found[one.name] for one in space}


def _sampler(plan: Plan, seed: int) -> BaseSampler:
    """At random, or where good values are estimated to lie; running trials count as bad, so that it looks elsewhere."""
    if plan.strategy == "Random":
        return RandomSampler(seed=seed)
    first = min(max(int(plan.trials) // _RANDOM_SHARE, _FEWEST_RANDOM), _MOST_RANDOM)
    return TPESampler(seed=seed, n_startup_trials=first, multivariate=True, constant_liar=True)


def _axis(one: Dimension) -> BaseDistribution:
    if not isinstance(one, Span):
        return CategoricalDistribution(one.values)
    low, high = one.bounds
    if one.is_whole:
        return IntDistribution(int(low), int(high), log=one.is_logarithmic)
    return FloatDistribution(low, high, log=one.is_logarithmic)


def _told(
    trial: Trial, space: Sequence[Dimension], objective: Objective, axes: Mapping[str, BaseDistribution]
) -> FrozenTrial:
    """A trial as Optuna knows it."""
    ended = TrialState.COMPLETE if trial.objective is not None else TrialState.FAIL
    return create_trial(
        state=ended if trial.is_over else TrialState.RUNNING,
        value=objective.loss(trial.objective) if trial.objective is not None else None,
        params={
            one.name: one.position(trial.tuned[one.name]) if isinstance(one, Span) else trial.tuned[one.name]
            for one in space
        },
        distributions=dict(axes),
    )
