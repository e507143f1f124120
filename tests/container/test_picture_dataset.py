"""The pictures of a training: the same whether the original is large or small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from image_trees import encoded, noise
from PIL import Image

import pictures
import tensors
from picture_dataset import Augmentation, PictureDataset, augment
from split import Split

SIDE = 64
SMOOTH = noise(3, (8, 6)).resize((1600, 1200), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_a_large_photograph_is_read_as_if_it_were_decoded_whole(tmp_path: Path, seed: int | None) -> None:
    path = tmp_path / "large.jpg"
    path.write_bytes(encoded(SMOOTH, quality=95))
    pixels, target = PictureDataset(Split((path,), (5,)), SIDE, seed)[0, 4, True]

    whole = pictures.decode(path.read_bytes())
    expected = tensors.pixels(whole, SIDE)
    if seed is not None:
        varied = augment(whole, SIDE, np.random.default_rng((seed, 4, 0)))
        expected = torch.from_numpy(np.array(varied)).permute(2, 0, 1)
    assert target == 5
    # A part begins at a whole pixel, and those are larger here.
    assert (pixels.int() - expected.int()).abs().max() <= (6 if seed is None else 10)


def test_the_smallest_part_of_a_picture_at_twice_the_side_still_has_the_side() -> None:
    # Every pixel says where it is, so that a part shows how much it spans.
    y, x = np.mgrid[0 : 2 * SIDE, 0 : 2 * SIDE].astype(np.uint8)
    picture = Image.fromarray(np.stack([x, y, x], axis=2))
    for seed in range(300):
        part = np.array(augment(picture, SIDE, np.random.default_rng(seed)))
        assert min(np.ptp(part[..., 0]), np.ptp(part[..., 1])) >= SIDE - 2


def test_pictures_are_mirrored_as_often_as_asked() -> None:
    picture = Image.fromarray(np.tile(np.arange(SIDE, dtype=np.uint8)[None, :, None], (SIDE, 1, 3)))

    def share_mirrored(probability: float) -> float:
        varied = [
            np.array(augment(picture, SIDE, np.random.default_rng(seed), Augmentation(0.5, probability)))
            for seed in range(100)
        ]
        return sum(int(pixels[0, 0, 0]) > int(pixels[0, -1, 0]) for pixels in varied) / len(varied)

    assert share_mirrored(0.0) == 0
    assert 0.3 < share_mirrored(0.5) < 0.7
    assert share_mirrored(1.0) == 1


def test_a_crop_shows_at_least_the_area_that_is_asked_for() -> None:
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.uint8)
    picture = Image.fromarray(np.stack([x, y, x], axis=2))
    for seed in range(100):
        crop = np.array(augment(picture, SIDE, np.random.default_rng(seed), Augmentation(0.9, 0.0)))
        assert min(np.ptp(crop[..., 0]), np.ptp(crop[..., 1])) >= 0.8 * SIDE
