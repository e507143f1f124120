"""All layers, trained by several processes: the result is that of one process with all of their images."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from train_process import NORMALIZED, PATIENCE, launcher_environments, start, together, weights

TRAIN = """
import sys
from pathlib import Path
import torch
import picture_dataset, precision, process_group, split
from hyperparameters import Hyperparameters
from batch_sources import PictureBatches
from trainer import Trainer

folder, result, batch = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
group = process_group.join("cpu", "auto", 60)
chosen = Hyperparameters(batch_size=batch, epochs=3, learning_rate=0.01, patience=0, label_smoothing=0.1)
torch.manual_seed(0)
layers = torch.nn
module = layers.Sequential(
    layers.Conv2d(3, 8, 5, stride=2), layers.GroupNorm(2, 8), layers.ReLU(), layers.AdaptiveAvgPool2d(4),
    layers.Flatten(), layers.Linear(128, 3),
)
exact = precision.choose("fp32", torch.device("cpu"))

def source(name, seed):
    found = split.load(folder / name, picture_dataset.class_names(folder / name))
    rank = group.rank_info
    sampler = picture_dataset.DistributedBatchSampler(len(found.paths), batch, rank.rank, rank.world_size, seed)
    dataset = picture_dataset.PictureDataset(found, 32, seed)
    return PictureBatches(dataset, sampler, 0, 60, exact, (0.5,) * 3, (0.5,) * 3)

trainer = Trainer(module, chosen, exact, group)
trainer.run(source("train", 5), source("valid", None))
if group.is_main:
    torch.save({"weights": module.state_dict(), "history": trainer.state.history}, result)
group.shut_down()
"""
MEASURED = ("train:loss", "train:accuracy", "validation:loss", "validation:accuracy")


def test_two_processes_learn_the_same_as_one(data: Path, tmp_path: Path) -> None:
    """27 images in batches of ten: the two have not equally many of the last one, and its gradient counts by images.

    The network normalizes each image alone. Where it normalizes by batches (the next test), each process sees the
    means of its own half, and no two trainings of different numbers of processes can be the same.
    """
    alone = [start(data, tmp_path / "one", 10, code=TRAIN)]
    both = [start(data, tmp_path / "two", 5, code=TRAIN, **place) for place in launcher_environments(2)]
    for process in (*alone, *both):
        _, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err[-2000:]
    one, two = (torch.load(tmp_path / name, weights_only=True) for name in ("one", "two"))
    for before, after in zip(one["history"], two["history"], strict=True):
        assert [after[name] for name in MEASURED] == pytest.approx([before[name] for name in MEASURED], abs=1e-4)
    for name, value in one["weights"].items():
        assert torch.allclose(two["weights"][name], value, atol=1e-4), name
    assert one["history"][-1]["train:loss"] < one["history"][0]["train:loss"]


def test_running_means_are_averaged_over_two_processes(data: Path, tmp_path: Path) -> None:
    """With normalization by batches: one epoch of one step, so that its running mean follows from its images.

    A batch's mean over the images of two processes is the mean of their means, when both have equally many. One
    process that sees all of them at once has just that; its running deviations differ by how the two means differ.
    """
    how = [*NORMALIZED, "--epochs", "1", "--data", data]
    for count, batch in ((1, 26), (2, 13)):
        together(count, *how, "--batch-size", batch, "--model-dir", tmp_path / str(count))
    one, two = weights(tmp_path / "1"), weights(tmp_path / "2")
    assert one.keys() == two.keys()
    # 27 images: one is left, and goes with the others.
    assert one["backbone.bn1.num_batches_tracked"] == two["backbone.bn1.num_batches_tracked"] == 1
    # Before the first layer that normalizes, both networks are the same.
    mean = "backbone.bn1.running_mean"
    assert torch.allclose(two[mean], one[mean], atol=0.02 * float(one[mean].abs().max()))
    assert not torch.equal(two[mean], torch.zeros_like(two[mean]))
