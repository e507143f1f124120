"""The baseline of training: the loop of the course project's notebooks, with a clock.

    .venv-container/bin/python -m benchmarks.course_loop DATA --architecture resnet18 --epochs 3 --layers head

Every epoch decodes the original images and runs the whole network, frozen or not; Adam, no normalization, one process
that does everything in turn. DATA is the folder with train/ and valid/. It prints one line of JSON per epoch. The
course project downloads pretrained weights; this one starts with random weights, which is as fast and needs no network.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from entrypoints.torchvision_import import torchvision

ARCHITECTURES = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
HEAD, ALL = "head", "all"
HEAD_WIDTH = 128


@dataclass(frozen=True)
class Setting:
    """What is trained, on which data, and how."""

    data: Path
    architecture: str = "resnet50"
    layers: str = HEAD
    epochs: int = 3
    batch_size: int = 32
    learning_rate: float = 0.001
    size: int = 224
    workers: int = 0


@dataclass
class Epoch:
    """The time of one epoch on the training split, by part, and its result."""

    epoch: int
    images: int = 0
    seconds: float = 0.0
    waiting: float = 0.0  # for images: with no workers this is reading and decoding them
    forward: float = 0.0
    backward: float = 0.0  # and the optimizer's step
    loss: float = 0.0
    validation_seconds: float = 0.0
    validation_accuracy: float = 0.0

    @property
    def images_per_second(self) -> float:
        """The images trained per second, without validation."""
        return self.images / self.seconds


def train(setting: Setting) -> Iterator[Epoch]:
    """Trains as the course does; yields every epoch when it is done."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    training, validation = _loader(setting, "train"), _loader(setting, "valid")
    network = _network(setting, len(training.dataset.classes)).to(device)
    trained = network.fc.parameters() if setting.layers == HEAD else network.parameters()
    optimizer = torch.optim.Adam(trained, lr=setting.learning_rate)
    for number in range(1, setting.epochs + 1):
        epoch = Epoch(number)
        _pass_through(network, training, optimizer, device, epoch)
        _validate(network, validation, device, epoch)
        yield epoch


def _loader(setting: Setting, split: str) -> Any:
    transforms = torchvision.transforms
    square = (setting.size, setting.size)
    varied = [transforms.RandomResizedCrop(square), transforms.RandomHorizontalFlip()]
    steps = varied if split == "train" else [transforms.Resize(square)]
    images = torchvision.datasets.ImageFolder(
        str(setting.data / split), transforms.Compose([*steps, transforms.ToTensor()])
    )
    return DataLoader(images, setting.batch_size, shuffle=split == "train", num_workers=setting.workers)


def _network(setting: Setting, classes: int) -> Any:
    network = torchvision.models.get_model(setting.architecture, weights=None)
    network.requires_grad_(setting.layers == ALL)
    network.fc = nn.Sequential(nn.Linear(network.fc.in_features, HEAD_WIDTH), nn.ReLU(), nn.Linear(HEAD_WIDTH, classes))
    return network


def _pass_through(network: Any, batches: Any, optimizer: Any, device: Any, epoch: Epoch) -> None:
    network.train()
    lap = _stopwatch(device)
    total = 0.0
    for images, classes in batches:
        epoch.waiting += lap()
        # As in the course: the batch moves, the gradients are cleared, and the loss is read at every step.
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(images.to(device)), classes.to(device))
        epoch.forward += lap()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(images)
        epoch.images += len(images)
        epoch.backward += lap()
    epoch.waiting += lap()
    epoch.seconds = epoch.waiting + epoch.forward + epoch.backward
    epoch.loss = total / epoch.images


def _validate(network: Any, batches: Any, device: Any, epoch: Epoch) -> None:
    network.eval()
    lap = _stopwatch(device)
    right = 0
    with torch.no_grad():
        for images, classes in batches:
            right += (network(images.to(device)).argmax(1) == classes.to(device)).sum().item()
    epoch.validation_seconds = lap()
    epoch.validation_accuracy = right / len(batches.dataset)


def _stopwatch(device: Any) -> Callable[[], float]:
    """Returns a function for the seconds since its last call, including pending work of the device."""
    last = time.perf_counter()

    def lap() -> float:
        nonlocal last
        if device.type == "cuda":
            torch.cuda.synchronize()
        before, last = last, time.perf_counter()
        return last - before

    return lap


def main() -> None:
    """Trains, and prints a line per epoch."""
    parser = argparse.ArgumentParser(description="The course project's training loop, measured.")
    parser.add_argument("data", type=Path, help="the folder with train/ and valid/")
    parser.add_argument("--architecture", choices=ARCHITECTURES, default=Setting.architecture)
    parser.add_argument("--layers", choices=(HEAD, ALL), default=Setting.layers)
    parser.add_argument("--epochs", type=int, default=Setting.epochs)
    parser.add_argument("--batch-size", type=int, default=Setting.batch_size)
    parser.add_argument("--learning-rate", type=float, default=Setting.learning_rate)
    parser.add_argument("--size", type=int, default=Setting.size)
    parser.add_argument("--workers", type=int, default=Setting.workers)
    setting = Setting(**vars(parser.parse_args()))
    for epoch in train(setting):
        print(json.dumps({**asdict(epoch), "images_per_second": epoch.images_per_second}), flush=True)


if __name__ == "__main__":
    main()
