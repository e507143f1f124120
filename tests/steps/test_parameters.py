"""A step gets the execution parameter where a setting has one; the value of the build cannot get into a request."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.settings.parameters import bind, declare, expressions
from steps.parameters import default_of
from steps.tune import TuningConfig
from tests.support.definitions import configure

SETTINGS = configure({"training.epochs": 7, "quality.accuracy": 0.9})
BOUND = bind(SETTINGS, expressions(SETTINGS))
MISUSES: dict[str, Callable[[Any], object]] = {
    "str()": str,
    "an f-string": lambda parameter: f"{parameter}",
    "int()": int,
    "range()": range,
    "JSON": json.dumps,
    "a sum": lambda parameter: parameter + 1,
    "a product": lambda parameter: parameter * 2,
    "a comparison": lambda parameter: parameter > 3,
    "an equality": lambda parameter: parameter == 7,
    "a condition": operator.truth,
    "a search in a list": lambda parameter: parameter in [1, 7],
}


@pytest.mark.parametrize("key", [parameter.key for parameter in declare(SETTINGS)])
def test_a_step_gets_the_parameter_and_not_the_value_of_the_build(key: str) -> None:
    bound: Any = BOUND
    for name in key.split("."):
        bound = getattr(bound, name)
    [parameter] = [parameter for parameter in declare(SETTINGS) if parameter.key == key]
    assert bound.expr == {"Get": f"Parameters.{parameter.name}"}
    assert bound.to_request()["DefaultValue"] == parameter.default


@pytest.mark.parametrize("misuse", MISUSES.values(), ids=MISUSES)
def test_using_a_parameter_as_a_value_is_an_error(misuse: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError):
        misuse(BOUND.training.epochs)


def test_the_error_says_what_to_do_instead() -> None:
    with pytest.raises(TypeError, match=r"Epochs has no value before an execution starts; .* default_of\(\)"):
        assert BOUND.training.epochs == 7


def test_the_default_is_there_for_a_step_that_asks_for_it() -> None:
    assert default_of(BOUND.training.epochs) == 7
    assert default_of(SETTINGS.training.epochs) == 7


def test_settings_without_a_parameter_keep_their_values() -> None:
    assert BOUND.training.seed == SETTINGS.training.seed
    assert BOUND.site == SETTINGS.site


def test_a_parameter_that_no_step_would_use_is_not_declared() -> None:
    grid = {"batch_size": {"type": "categorical", "values": [32, 64]}}
    settings = configure({"distributed.enabled": False, "tuning.strategy": "Grid", "tuning.ranges": grid})
    names = {parameter.name for parameter in declare(settings)}
    assert not {"TuningMaxJobs", "DistributedInstanceType", "DistributedInstanceCount"} & names
    assert bind(settings, expressions(settings)).tuning.max_jobs == TuningConfig().max_jobs
