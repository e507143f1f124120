"""Networks: any classifier of torchvision by its name, in two parts: a backbone that sees, and a head that decides.

The backbone is torchvision's network without its last layer; the head is ours. So the head alone can be trained on
features that were computed once, whatever the network, and a saved model needs nothing but its name to be built again.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.func import functional_call

import contract
from errors import ModelError
from torchvision_import import torchvision

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
_USUAL_SIZE = 224


class Classifier(nn.Module):
    """A backbone that turns pictures into features, and a head that turns features into logits."""

    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """The logits of a batch of normalised pictures."""
        logits: torch.Tensor = self.head(self.backbone(pictures))
        return logits


def build(
    architecture: str,
    classes: int,
    *,
    head_width: int = 0,
    dropout: float = 0.0,
    weights: str | Path = contract.WEIGHTS_NONE,
    image_size: int = 224,
) -> Classifier:
    """A classifier for so many classes, its backbone with torchvision's weights of a name, those of a file, or none."""
    if architecture not in torchvision.models.list_models(module=torchvision.models):
        raise ModelError(f"torchvision has no classifier {architecture}; name one like resnet50")
    named = None if isinstance(weights, Path) or weights == contract.WEIGHTS_NONE else _named(architecture, weights)
    usual = named.transforms().crop_size[0] if named else _USUAL_SIZE
    with _of_a_size(architecture, image_size, usual):
        network = _fetched(architecture, named) if named else _drawn(architecture, image_size)
        _without_helpers(network)
        backbone, features = _beheaded(network)
        _look(backbone, image_size)
    if isinstance(weights, Path):
        _load(backbone, weights)
    return Classifier(backbone, _head(features, classes, head_width, dropout))


def normalisation(architecture: str, weights: str | Path) -> tuple[Sequence[float], Sequence[float]]:
    """The mean and the deviation of colors that the weights are used to."""
    if isinstance(weights, Path) or weights == contract.WEIGHTS_NONE:
        return IMAGENET_MEAN, IMAGENET_STD
    transforms = _named(architecture, weights).transforms()
    return tuple(transforms.mean), tuple(transforms.std)


def _fetched(architecture: str, weights: Any) -> nn.Module:
    try:
        found: nn.Module = torchvision.models.get_model(architecture, weights=weights)
    except (OSError, RuntimeError) as error:  # torch says by a RuntimeError that what came has another checksum
        raise ModelError(
            f"the weights {weights.name} of {architecture} cannot be fetched ({error}); "
            "give a file with --weights, or a channel of that name, or none"
        ) from error
    return found


def _drawn(architecture: str, image_size: int) -> nn.Module:
    told = _without_weights(architecture, image_size)
    found: nn.Module = torchvision.models.get_model(architecture, weights=None, **told)
    return found


@contextmanager
def _of_a_size(architecture: str, image_size: int, usual: int) -> Iterator[None]:
    """Networks that cut pictures into patches, or make them ever smaller, say so of some sizes, each in its way."""
    try:
        yield
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().partition("\n")[0]
        if "DefaultCPUAllocator" in reason:
            raise  # memory is short, whatever the size
        raise ModelError(
            f"{architecture} cannot take pictures of {image_size} pixels ({reason}); "
            f"train with another --image-size, such as {usual}, or another --architecture"
        ) from error


def _look(backbone: nn.Module, image_size: int) -> None:
    """Have two pictures looked at that are nothing but shapes: it costs no memory, and tells whether that goes."""
    values = itertools.chain(backbone.named_parameters(), backbone.named_buffers())
    shapes = {name: value.detach().to("meta") for name, value in values}
    with torch.no_grad():
        functional_call(backbone, shapes, torch.empty(2, 3, image_size, image_size, device="meta"))


def _without_weights(architecture: str, image_size: int) -> dict[str, Any]:
    """What a network must be told that weights would tell it."""
    if architecture in ("googlenet", "inception_v3"):
        return {"init_weights": False}  # it would draw its weights by a function of SciPy that takes minutes
    return {"image_size": image_size} if architecture.startswith("vit_") else {}


def _named(architecture: str, weights: str) -> Any:
    offered = torchvision.models.get_model_weights(architecture)
    if weights not in offered.__members__:
        raise ModelError(
            f"torchvision has no weights {weights} for {architecture}; use {', '.join(offered.__members__)}"
        )
    return offered[weights]


def _without_helpers(network: nn.Module) -> None:
    """Remove the side branches that some networks train with: they answer with tensors of their own."""
    for name in ("AuxLogits", "aux1", "aux2"):
        if hasattr(network, name):
            setattr(network, name, None)
    if hasattr(network, "aux_logits"):
        network.aux_logits = False


def _beheaded(network: nn.Module) -> tuple[nn.Module, int]:
    """The network without its last layer, and how many features it answers with."""
    name, last = [(name, one) for name, one in network.named_modules() if isinstance(one, (nn.Linear, nn.Conv2d))][-1]
    around, _, own = name.rpartition(".")
    if isinstance(last, nn.Conv2d):
        # SqueezeNet decides by a convolution: what enters it is averaged over the picture instead.
        setattr(network, around, nn.AdaptiveAvgPool2d(1))
        return network, int(last.in_channels)
    setattr(network.get_submodule(around), own, nn.Identity())
    return network, int(last.in_features)


def _head(features: int, classes: int, width: int, dropout: float) -> nn.Module:
    layers: list[nn.Module] = [nn.Linear(features, width), nn.ReLU()] if width else []
    layers += [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers, nn.Linear(width or features, classes))


def _load(backbone: nn.Module, path: Path) -> None:
    """Weights of a file into the backbone: a network of the same name, with its own last layer or without."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever its unpickler meets
        raise ModelError(f"{path} holds no weights that can be read: {error}; save a plain state dict") from error
    if not isinstance(state, dict):
        raise ModelError(f"{path} holds no state dict; save model.state_dict()")
    plain = {name.removeprefix("module.").removeprefix("backbone."): value for name, value in state.items()}
    wanted = backbone.state_dict()
    missing = [name for name in wanted if name not in plain or plain[name].shape != wanted[name].shape]
    if missing:
        raise ModelError(f"{path} is not of this network: {missing[0]} is missing or of another size; name its own")
    backbone.load_state_dict({name: plain[name] for name in wanted})
