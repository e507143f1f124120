"""Turns a picture into the input of a network, in the same way for validation, evaluation and serving.

Pixels stay bytes until they are on the network's device: a quarter of the memory, and of the transfer to a GPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from PIL import Image

import pictures


def pixels(picture: Image.Image, side: int) -> torch.Tensor:
    """Returns the center crop of a picture at a size, as bytes, channels first."""
    square = pictures.center_crop(pictures.resize(picture, side), side)
    return torch.from_numpy(np.array(square)).permute(2, 0, 1)


def normalized(batch: torch.Tensor, mean: Sequence[float], std: Sequence[float]) -> torch.Tensor:
    """Returns a batch of pixels as normalized floats, on the device of the pixels."""
    center, spread = (_colors(tuple(values), batch.device) for values in (mean, std))
    return (batch.float() / 255 - center) / spread


@lru_cache(maxsize=16)
def _colors(values: tuple[float, ...], device: torch.device) -> torch.Tensor:
    """Returns one value per channel on a device; cached, as each copy to a GPU would block."""
    return torch.tensor(values, device=device).view(1, -1, 1, 1)
