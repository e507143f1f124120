"""Drawn pictures of three textures and small networks, for the tests of evaluation and serving."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import dataset
import model_folder
import networks
import pictures
import split
import tensors
from dataset import Dataset

# Tests share their machine, and small networks gain nothing by threads.
torch.set_num_threads(1)

CLASSES = ("001.Bars", "002.Checks", "003.Rings")
LABELS = tuple(dataset.readable_name(name) for name in CLASSES)
SIDE = 40
HISTORY = [
    {"train:loss": 1.2 / epoch, "validation:loss": 1.4 / epoch, "validation:accuracy": 1 - 0.5 / epoch}
    for epoch in range(1, 6)
]


def picture(kind: int, seed: int) -> Image.Image:
    """Returns a picture of one of the three textures, slightly different for each seed."""
    chance = np.random.default_rng(1000 * kind + seed)
    y, x = np.mgrid[0:SIDE, 0 : SIDE + seed % 7] / chance.uniform(5, 6) + chance.uniform(0, math.tau)
    wave = (np.sin(x), np.sin(x) * np.sin(y), np.sin(np.hypot(x - x.mean(), y - y.mean()) * 2))[kind]
    gray = 128 + 90 * wave + chance.normal(0, 8, wave.shape)
    colors = np.stack([gray * share for share in chance.uniform(0.8, 1, 3)], axis=2)
    return Image.fromarray(colors.clip(0, 255).astype(np.uint8))


def draw_split(folder: Path, per_class: int, classes: Sequence[str] = CLASSES) -> Path:
    """Draws a folder of classes with pictures."""
    for kind, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for seed in range(per_class):
            (folder / name / f"{seed:03}.jpg").write_bytes(pictures.encode_jpeg(picture(kind, seed)))
    return folder


def described(folder: Path, classes: Sequence[str] = CLASSES) -> Dataset:
    """Writes the dataset.json of such a split into a folder."""
    labels = tuple(dataset.readable_name(name) for name in classes)
    data = Dataset(tuple(classes), labels, SIDE, "5" * 64, {})
    folder.mkdir(parents=True, exist_ok=True)
    data.write(folder)
    return data


def model(**changes: Any) -> model_folder.ModelDescription:
    """Returns the description of a small network."""
    plain = model_folder.ModelDescription(
        architecture="resnet18",
        head_width=0,
        dropout=0.0,
        classes=CLASSES,
        labels=LABELS,
        image_size=32,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        dataset_sha256="5" * 64,
    )
    return replace(plain, **changes)


def network(description: model_folder.ModelDescription, seed: int = 0) -> networks.Classifier:
    """Returns the network of a description with random weights."""
    torch.manual_seed(seed)
    return networks.build(description.architecture, len(description.classes), head_width=description.head_width).eval()


def fit(
    classifier: networks.Classifier, description: model_folder.ModelDescription, images: Path
) -> networks.Classifier:
    """Trains the head of a network on the pictures of a folder."""
    found = split.load(images, description.classes)
    pixels = torch.cat([batch[32] for batch in split.batches(found, [32], 64)])
    with torch.no_grad():
        features = classifier.backbone(tensors.normalized(pixels, description.mean, description.std))
    optimizer = torch.optim.Adam(classifier.head.parameters(), lr=0.01)
    for _ in range(150):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(classifier.head(features), torch.tensor(found.targets)).backward()
        optimizer.step()
    return classifier
