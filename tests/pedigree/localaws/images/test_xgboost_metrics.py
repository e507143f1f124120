"""Metrics of the built-in XGBoost: their names, and the expressions that find them in a log."""

from __future__ import annotations

import re

from pedigree.localaws.images import xgboost_metrics

LINE = "[12]#011train-rmse:0.51#011train-error@0.7:1#011validation-rmse:1.5e-3#011validation-mae:2"


def test_each_channel_has_each_metric() -> None:
    names = [name for name, _ in xgboost_metrics.definitions()]
    assert {"train:rmse", "validation:rmse", "validation:auc", "validation:f1"} <= set(names)
    assert len(names) == len(set(names)) == 2 * len(xgboost_metrics.names())


def test_an_expression_finds_its_own_metric_alone() -> None:
    found = {name: re.findall(regex, LINE) for name, regex in xgboost_metrics.definitions()}
    assert {name: values for name, values in found.items() if values} == {
        "train:rmse": ["0.51"],
        "validation:rmse": ["1.5e-3"],
        "validation:mae": ["2"],
    }
