"""The names of networks and weights that settings may use are those that torchvision has."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch

from networks import build
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


TABLE = load(Path(__file__).parents[2] / "steps" / "networks.py")
NETWORKS = TABLE.NETWORKS
SMALLEST_IMAGES = 32


def test_the_networks_are_torchvisions_classifiers() -> None:
    assert set(NETWORKS) == set(models.list_models(module=models))


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_weights_of_a_network_are_torchvisions(name: str) -> None:
    assert set(NETWORKS[name]) == set(models.get_model_weights(name).__members__) - {"DEFAULT"}


def test_networks_of_one_size_are_those_that_cut_pictures_into_patches() -> None:
    assert {name for name in NETWORKS if len(set(TABLE.sizes(name, "none"))) == 1} == {
        name for name in NETWORKS if name.startswith(("vit_", "maxvit_"))
    }


@pytest.mark.parametrize(
    "name", ["alexnet", "efficientnet_v2_s", "inception_v3", "maxvit_t", "swin_t", "swin_v2_t", "vit_b_16"]
)
def test_a_network_takes_the_smallest_pictures_that_settings_let_through(name: str) -> None:
    """Those for which torchvision names a least size above what settings allow: some mean it, some do not."""
    smallest = max(TABLE.sizes(name, "none")[0], SMALLEST_IMAGES)
    assert answers(name, smallest)
    assert smallest == SMALLEST_IMAGES or not answers(name, smallest - 8)


def answers(name: str, side: int) -> bool:
    network = build(name, 2).eval()
    try:
        with torch.no_grad():
            return tuple(network(torch.zeros(1, 3, side, side)).shape) == (1, 2)
    except (RuntimeError, AssertionError):
        return False


@pytest.mark.parametrize("name", ["vit_b_16", "vit_h_14", "vit_l_16"])
def test_the_default_weights_have_the_size_of_the_weights_that_they_are(name: str) -> None:
    default = models.get_model_weights(name).DEFAULT
    assert TABLE.sizes(name, "DEFAULT") == TABLE.sizes(name, default.name)
