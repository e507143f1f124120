"""From a picture to what a network takes: one way, for validation, evaluation and serving alike.

Pixels stay bytes until they are where the network is: that is a quarter of the memory, and of the way to a GPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from PIL import Image

import pictures


def pixels(picture: Image.Image, side: int) -> torch.Tensor:
    """The middle of a picture as bytes, three colors first: what a network of that image size looks at."""
    square = pictures.center_cropped(pictures.resized(picture, side), side)
    return torch.from_numpy(np.array(square)).permute(2, 0, 1)


def normalized(batch: torch.Tensor, mean: Sequence[float], std: Sequence[float]) -> torch.Tensor:
    """A batch of pixels as numbers around zero, on the device where the pixels are."""
    center, spread = (_colors(tuple(values), batch.device) for values in (mean, std))
    return (batch.float() / 255 - center) / spread


@lru_cache(maxsize=16)
def _colors(values: tuple[float, ...], device: torch.device) -> torch.Tensor:
    """A number for each color, brought to a device once: a GPU would be waited for in every batch."""
    return torch.tensor(values, device=device).view(1, -1, 1, 1)
