"""Builds any torchvision classifier as two parts: a backbone that computes features, and a head that classifies.

The backbone is torchvision's network without its last layer; the head is our own. So the head can be trained alone on
features that are computed once, and a saved model needs only the name of its network to be built again.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.func import functional_call
from torch.overrides import TorchFunctionMode

import contract
from errors import ModelError
from torchvision_import import torchvision

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
_DEFAULT_SIZE = 224


class Classifier(nn.Module):
    """A backbone that turns pictures into features, and a head that turns features into logits."""

    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Returns the logits of a batch of normalized pictures."""
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
    """Builds a classifier. Its backbone gets torchvision's pretrained weights by name, those of a file, or none."""
    if architecture not in torchvision.models.list_models(module=torchvision.models):
        raise ModelError(f"torchvision has no classifier {architecture}", "name one like resnet50")
    pretrained = (
        None if isinstance(weights, Path) or weights == contract.WEIGHTS_NONE else _named_weights(architecture, weights)
    )
    default_size = pretrained.transforms().crop_size[0] if pretrained else _DEFAULT_SIZE
    with _explain_size_errors(architecture, image_size, default_size):
        network = _pretrained(architecture, pretrained) if pretrained else _initialized(architecture, image_size)
        _remove_auxiliary_heads(network)
        backbone, features = _split_head(network)
        _check_forward_pass(backbone, image_size)
    if isinstance(weights, Path):
        _load_backbone(backbone, weights)
    return Classifier(backbone, _head(features, classes, head_width, dropout))


class WithoutMemory(TorchFunctionMode):
    """Networks that are built in this context have parameters without memory, only with shapes.

    torch.device("meta") would do the same to the numbers that some networks compute their shapes with.
    """

    _FACTORIES = (torch.empty, torch.zeros, torch.ones)

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Calls a function of torch."""
        device = {"device": "meta"} if func in self._FACTORIES else {}
        return func(*args, **{**(kwargs or {}), **device})


def normalization(architecture: str, weights: str | Path) -> tuple[Sequence[float], Sequence[float]]:
    """Returns the mean and standard deviation of colors that the weights were trained with."""
    if isinstance(weights, Path) or weights == contract.WEIGHTS_NONE:
        return IMAGENET_MEAN, IMAGENET_STD
    transforms = _named_weights(architecture, weights).transforms()
    return tuple(transforms.mean), tuple(transforms.std)


def _pretrained(architecture: str, weights: Any) -> nn.Module:
    try:
        network: nn.Module = torchvision.models.get_model(architecture, weights=weights)
    except (OSError, RuntimeError) as error:  # torch raises RuntimeError for a wrong checksum
        raise ModelError(
            f"the weights {weights.name} of {architecture} cannot be fetched ({error})",
            "give a file with --weights, a channel of that name, or none",
        ) from error
    return network


def _initialized(architecture: str, image_size: int) -> nn.Module:
    arguments = _constructor_arguments(architecture, image_size)
    network: nn.Module = torchvision.models.get_model(architecture, weights=None, **arguments)
    return network


@contextmanager
def _explain_size_errors(architecture: str, image_size: int, default_size: int) -> Iterator[None]:
    """Turns the errors of networks that cannot take a picture size into a ModelError with a remedy."""
    try:
        yield
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().partition("\n")[0]
        if "DefaultCPUAllocator" in reason:
            raise  # too little memory, which another size need not fix
        raise ModelError(
            f"{architecture} cannot take pictures of {image_size} pixels ({reason})",
            f"train with another --image-size, such as {default_size}, or another --architecture",
        ) from error


def _check_forward_pass(backbone: nn.Module, image_size: int) -> None:
    """Runs the backbone on the meta device: this costs no memory and shows whether the size works."""
    values = itertools.chain(backbone.named_parameters(), backbone.named_buffers())
    shapes = {name: value.detach().to("meta") for name, value in values}
    with torch.no_grad():
        functional_call(backbone, shapes, torch.empty(2, 3, image_size, image_size, device="meta"))


def _constructor_arguments(architecture: str, image_size: int) -> dict[str, Any]:
    """Returns the arguments that a network without pretrained weights needs."""
    if architecture in ("googlenet", "inception_v3"):
        return {"init_weights": False}  # otherwise it draws its weights with a SciPy function that takes minutes
    return {"image_size": image_size} if architecture.startswith("vit_") else {}


def _named_weights(architecture: str, weights: str) -> Any:
    available = torchvision.models.get_model_weights(architecture)
    if weights not in available.__members__:
        raise ModelError(
            f"torchvision has no weights {weights} for {architecture}", f"use {', '.join(available.__members__)}"
        )
    return available[weights]


def _remove_auxiliary_heads(network: nn.Module) -> None:
    """Removes the auxiliary classifiers of some networks, whose outputs are extra tensors."""
    for name in ("AuxLogits", "aux1", "aux2"):
        if hasattr(network, name):
            setattr(network, name, None)
    if hasattr(network, "aux_logits"):
        network.aux_logits = False


def _split_head(network: nn.Module) -> tuple[nn.Module, int]:
    """Returns the network without its last layer, and the number of features it outputs."""
    name, last = [
        (name, module) for name, module in network.named_modules() if isinstance(module, (nn.Linear, nn.Conv2d))
    ][-1]
    parent, _, attribute = name.rpartition(".")
    if isinstance(last, nn.Conv2d):
        # SqueezeNet's last layer is a convolution: its input is averaged over the picture instead.
        setattr(network, parent, nn.AdaptiveAvgPool2d(1))
        return network, int(last.in_channels)
    setattr(network.get_submodule(parent), attribute, nn.Identity())
    return network, int(last.in_features)


def _head(features: int, classes: int, width: int, dropout: float) -> nn.Module:
    layers: list[nn.Module] = [nn.Linear(features, width), nn.ReLU()] if width else []
    layers += [nn.Dropout(dropout)] if dropout else []
    return nn.Sequential(*layers, nn.Linear(width or features, classes))


def _load_backbone(backbone: nn.Module, path: Path) -> None:
    """Loads weights into the backbone from a file of the same network, with or without its last layer."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch's unpickler can raise any type
        raise ModelError(f"{path} has no readable weights: {error}", "save a plain state dict") from error
    if not isinstance(state, dict):
        raise ModelError(f"{path} is not a state dict", "save model.state_dict()")
    unprefixed = {name.removeprefix("module.").removeprefix("backbone."): value for name, value in state.items()}
    expected = backbone.state_dict()
    missing = [name for name in expected if name not in unprefixed or unprefixed[name].shape != expected[name].shape]
    if missing:
        raise ModelError(
            f"{path} is not for this network: {missing[0]} is missing or has another size", "name the right file"
        )
    backbone.load_state_dict({name: unprefixed[name] for name in expected})
