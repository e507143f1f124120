"""The names of networks and weights in settings are those of torchvision."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode

from errors import ModelError
from networks import build
from torchvision_import import torchvision

models = torchvision.models


def load(path: Path) -> ModuleType:
    """Loads a module of the definition side, which is not installed here."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TABLE = load(Path(__file__).parents[2] / "pedigree" / "aws" / "networks.py")
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
    try:
        network = build(name, 2, image_size=side).eval()
    except ModelError:
        return False
    with torch.no_grad():
        return tuple(network(torch.zeros(1, 3, side, side)).shape) == (1, 2)


class ShapesOnly(TorchFunctionMode):
    """Makes weights only shapes in here, so that even the largest network costs nothing."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call what is called."""
        return function(*args, **{**(kwargs or {}), **({"device": "meta"} if function is torch.empty else {})})


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_classifier_gets_a_head_of_ours(name: str) -> None:
    with ShapesOnly():
        network = build(name, 7, head_width=5, dropout=0.1)
    network.to("meta").eval()
    assert network(torch.empty(2, 3, 224, 224, device="meta")).shape == (2, 7)
    assert [type(layer).__name__ for layer in network.head] == ["Linear", "ReLU", "Dropout", "Linear"]
    learned = {key.partition(".")[0] for key, _ in network.named_parameters()}
    assert learned == {"backbone", "head"}


@pytest.mark.parametrize(
    ("name", "side"), [("vit_b_16", 100), ("maxvit_t", 64), ("alexnet", 32), ("inception_v3", 64), ("densenet121", 16)]
)
def test_a_size_that_a_network_cannot_take_is_one_line(name: str, side: int) -> None:
    with pytest.raises(ModelError, match=rf"^{name} cannot take pictures of {side} pixels \(.+\); train with .* 224,"):
        build(name, 2, image_size=side)


def test_a_size_is_checked_without_a_trace() -> None:
    """Two builds from one seed are the same network, and batch norms have counted nothing."""
    states = []
    for side in (64, 224):
        torch.manual_seed(3)
        states.append(build("resnet18", 3, image_size=side).state_dict())
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())
    assert not states[0]["backbone.bn1.num_batches_tracked"]


@pytest.mark.parametrize("name", ["vit_b_16", "vit_h_14", "vit_l_16"])
def test_the_default_weights_have_the_size_of_the_weights_that_they_are(name: str) -> None:
    default = models.get_model_weights(name).DEFAULT
    assert TABLE.sizes(name, "DEFAULT") == TABLE.sizes(name, default.name)
