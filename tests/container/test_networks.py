"""The names of networks and weights that settings may use are those that torchvision has."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from vision import torchvision

models = torchvision.models


def load(path: Path) -> ModuleType:
    """A module of the definition side, which is not installed here."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


NETWORKS = load(Path(__file__).parents[2] / "steps" / "networks.py").NETWORKS


def test_the_networks_are_torchvisions_classifiers() -> None:
    assert set(NETWORKS) == set(models.list_models(module=models))


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_weights_of_a_network_are_torchvisions(name: str) -> None:
    assert set(NETWORKS[name]) == set(models.get_model_weights(name).__members__) - {"DEFAULT"}
