"""Metrics of the built-in algorithms: their names, and the expressions that find them in a log."""

from __future__ import annotations

import re

import pytest

from pedigree.localaws.images import algorithm_metrics
from pedigree.localaws.images.catalog import own_recipes

LOG = """[11/30/2026 09:00:00 INFO 1] #progress_metric: host=algo-1, completed 100 % of epochs
[11/30/2026 09:00:00 INFO 1] #quality_metric: host=algo-1, epoch=0, validation mse_objective <loss>=0.5
[11/30/2026 09:00:00 INFO 1] #quality_metric: host=algo-1, validation mse_objective <loss>=0.5
[11/30/2026 09:00:00 INFO 1] #validation_score (algo-1) : ('binary_f_1.0', 0.25)
[11/30/2026 09:00:00 INFO 1] #quality_metric: host=algo-1, validation binary_f_1.0 <score>=0.25
[11/30/2026 09:00:00 INFO 1] #quality_metric: host=algo-1, test msd <loss>=1.5e-05
[11/30/2026 09:00:00 INFO 1] #quality_metric: host=algo-1, test f1 <score>=0.75
[11/30/2026 09:00:00 INFO 1] #quality_metric: host=algo-1, test negative_f1 <score>=1.0
"""


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("kmeans", {"train:progress": ["100"], "test:msd": ["1.5e-05"]}),
        ("pca", {"train:progress": ["100"]}),
        ("knn", {"train:progress": ["100"]}),
        ("randomcutforest", {"train:progress": ["100"], "test:f1": ["0.75"]}),
        (
            "linear-learner",
            {
                "train:progress": ["100"],
                "validation:objective_loss": ["0.5"],
                "validation:objective_loss:final": ["0.5"],
                "validation:binary_f_beta": ["0.25"],
            },
        ),
    ],
)
def test_an_expression_finds_its_own_metric_alone(algorithm: str, expected: dict[str, list[str]]) -> None:
    found = {name: re.findall(regex, LOG) for name, regex in algorithm_metrics.definitions(algorithm)}
    assert {name: values for name, values in found.items() if values} == expected


def test_each_algorithm_that_has_a_recipe_has_metrics() -> None:
    named = [
        recipe.variables["SAGEMAKER_ALGORITHM"] for recipe in own_recipes() if recipe.algorithm == "algorithm_training"
    ]
    assert sorted(named) == sorted(algorithm_metrics.names())
