"""The loop and its parts: what is measured is measured once, and nothing depends on how the work is cut."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import drawn
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import contract
import options
import precision
import ranks
import split
from checkpoints import Checkpoints
from errors import UsageError
from images import Pictures, Share
from options import Hyperparameters
from ranks import Place, Ranks
from sources import FromFeatures
from training import Trainer, rate_at

CPU = torch.device("cpu")
ALONE = Ranks(Place(), CPU, "")


@pytest.mark.parametrize("size", [1, 32, 64, 128, 256, 512, 836])
def test_the_size_of_a_batch_does_not_move_the_objective(size: int) -> None:
    """The course's bug: at one and the same loss its objective grew with the size of the batch."""
    chance = np.random.default_rng(0)
    features = chance.normal(size=(836, 16)).astype(np.float32)
    targets = chance.integers(0, 5, 836)
    torch.manual_seed(0)
    module = torch.nn.Linear(16, 5)
    trainer = Trainer(module, Hyperparameters(batch_size=size), precision.choose("fp32", CPU), ALONE)
    measured = trainer.evaluate(FromFeatures(features, targets, Share(836, size, 0, 1, None), CPU))
    with torch.no_grad():
        logits = module(torch.from_numpy(features))
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(targets))
    assert measured["validation:loss"] == pytest.approx(float(loss), abs=1e-5)
    assert measured["validation:accuracy"] == float((logits.argmax(1).numpy() == targets).mean())


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 5), st.none() | st.integers(0, 9), st.integers(0, 3))
def test_processes_share_every_sample_once_and_take_as_many_steps(
    count: int, batch: int, world: int, seed: int | None, epoch: int
) -> None:
    shares = [Share(count, batch, rank, world, seed) for rank in range(world)]
    for share in shares:
        share.epoch = epoch
    batches = [list(share) for share in shares]
    assert len({len(one) for one in batches}) == 1
    assert len(batches[0]) == len(shares[0])
    counted = [index for one in batches for items in one for index, _, counts in items if counts]
    assert sorted(counted) == list(range(count))


@given(st.integers(2, 40), st.integers(1, 6), st.integers(1, 6))
def test_an_epoch_goes_on_where_it_stopped(count: int, batch: int, first: int) -> None:
    whole, rest = Share(count, batch, 0, 1, 3), Share(count, batch, 0, 1, 3)
    rest.first = first
    assert list(rest) == list(whole)[first:]
    assert sum(whole.size(step) for step in range(whole.steps)) == count


@given(st.integers(1, 50), st.integers(1, 30), st.floats(0, 5))
def test_the_rate_rises_falls_and_stays_within_bounds(steps: int, epochs: int, warmup: float) -> None:
    chosen = Hyperparameters(epochs=epochs, warmup_epochs=warmup)
    rates = [rate_at(step, steps, chosen) for step in range(steps * epochs)]
    top = rates.index(max(rates))
    assert all(0 <= rate <= 1 for rate in rates)
    assert rates[:top] == sorted(rates[:top])
    assert rates[top:] == sorted(rates[top:], reverse=True)


def test_a_picture_varies_by_seed_epoch_and_number_alone(tmp_path: Path) -> None:
    found = split.find(drawn.draw_split(tmp_path / "train", 3), drawn.CLASSES)
    pictures, same, other = (Pictures(found, 32, seed) for seed in (7, 7, 8))
    for index in range(9):
        assert torch.equal(pictures[index, 2, True][0], same[index, 2, True][0])
        assert not torch.equal(pictures[index, 2, True][0], pictures[index, 3, True][0])
        assert not torch.equal(pictures[index, 2, True][0], other[index, 2, True][0])


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        ({}, Place(0, 1, 0)),
        ({"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1"}, Place(3, 4, 1)),
        (
            {"OMPI_COMM_WORLD_RANK": "9", "OMPI_COMM_WORLD_SIZE": "16", "OMPI_COMM_WORLD_LOCAL_RANK": "1"},
            Place(9, 16, 1),
        ),
        ({"SM_HOSTS": '["algo-2", "algo-1"]', "SM_CURRENT_HOST": "algo-2"}, Place(1, 2, 0)),
        ({"SM_HOSTS": '["algo-1"]', "SM_CURRENT_HOST": "algo-1"}, Place(0, 1, 0)),
    ],
)
def test_a_process_learns_its_place_from_whoever_started_it(environ: dict[str, str], place: Place) -> None:
    assert ranks.find(environ) == place


def test_flags_are_taken_in_both_spellings_and_win_over_the_environment(tmp_path: Path) -> None:
    for name in ("train", "valid", "other"):
        (tmp_path / name).mkdir()
    environ = {"SM_CHANNEL_TRAIN": str(tmp_path / "other"), "SM_MODEL_DIR": "elsewhere"}
    words = ["--data", str(tmp_path), "--learning_rate", "0.5", "--batch-size=8", "--model_dir", "here"]
    found = options.parse(words, environ)
    assert (found.hyperparameters.learning_rate, found.hyperparameters.batch_size) == (0.5, 8)
    assert (found.train, found.validation) == (tmp_path / "train", tmp_path / "valid")
    assert found.model_dir == Path("here")


def test_weights_can_come_by_a_channel(tmp_path: Path) -> None:
    for name in ("train", "validation", "weights"):
        (tmp_path / name).mkdir()
    words = ["--data", str(tmp_path), "--weights", "channel"]
    environ = {"SM_CHANNEL_WEIGHTS": str(tmp_path / "weights")}
    with pytest.raises(UsageError, match="holds 0 files; put one state dict there"):
        options.parse(words, environ)
    (tmp_path / "weights" / "mine.pth").touch()
    assert options.parse(words, environ).weights_file == tmp_path / "weights" / "mine.pth"


def test_a_checkpoint_is_of_what_is_trained(tmp_path: Path) -> None:
    one, same, other = (Checkpoints.of(tmp_path, {"seed": seed}) for seed in (1, 1, 2))
    one.save({"epoch": 2, "step": 5, "x": torch.ones(2)})
    state = same.load()
    assert state is not None
    assert torch.equal(state["x"], torch.ones(2))
    assert other.load() is None
    assert Checkpoints.of(None, {}).load() is None


def test_the_hyperparameters_are_those_of_the_contract() -> None:
    assert set(asdict(Hyperparameters())) == set(contract.HYPERPARAMETERS)
