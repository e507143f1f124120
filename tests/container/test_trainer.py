"""The training loop: metrics are correct, and do not depend on how the work is divided."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import drawn_pictures
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import precision
import split
from batch_sources import FeatureBatches
from checkpoints import STATE, TRAINER_STATE, Checkpoints
from hyperparameters import Hyperparameters
from loader_workers import Batch
from optimization import learning_rate_factor
from picture_dataset import IGNORE_INDEX, DistributedBatchSampler, PictureDataset
from process_group import ProcessGroup, Rank
from stop_signal import StoppedError, StopSignal
from trainer import Trainer
from training_state import TrainingState

CPU = torch.device("cpu")
ALONE = ProcessGroup(Rank(), CPU, "")


@pytest.mark.parametrize("size", [1, 32, 64, 128, 256, 512, 836])
def test_the_size_of_a_batch_does_not_move_the_objective(size: int) -> None:
    """The course's bug: at one and the same loss its objective grew with the size of the batch."""
    chance = np.random.default_rng(0)
    features = chance.normal(size=(836, 16)).astype(np.float32)
    targets = chance.integers(0, 5, 836)
    torch.manual_seed(0)
    module = torch.nn.Linear(16, 5)
    trainer = Trainer(module, Hyperparameters(batch_size=size), precision.choose("fp32", CPU), ALONE)
    measured = trainer.evaluate(
        FeatureBatches.of(features, targets.tolist(), DistributedBatchSampler(836, size, 0, 1, None), CPU)
    )
    with torch.no_grad():
        logits = module(torch.from_numpy(features))
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(targets))
    assert measured["validation:loss"] == pytest.approx(float(loss), abs=1e-5)
    assert measured["validation:accuracy"] == float((logits.argmax(1).numpy() == targets).mean())


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 5), st.none() | st.integers(0, 9), st.integers(0, 3))
def test_processes_share_every_sample_once_and_take_as_many_steps(
    count: int, batch: int, world: int, seed: int | None, epoch: int
) -> None:
    shares = [DistributedBatchSampler(count, batch, rank, world, seed) for rank in range(world)]
    for sampler in shares:
        sampler.epoch = epoch
    batches = [list(sampler) for sampler in shares]
    assert len({len(own_batches) for own_batches in batches}) == 1
    assert len(batches[0]) == len(shares[0])
    counted = [index for own_batches in batches for items in own_batches for index, _, counts in items if counts]
    assert sorted(counted) == list(range(count))


@given(st.integers(2, 40), st.integers(1, 6), st.integers(1, 6))
def test_an_epoch_continues_where_it_stopped(count: int, batch: int, first: int) -> None:
    whole, rest = DistributedBatchSampler(count, batch, 0, 1, 3), DistributedBatchSampler(count, batch, 0, 1, 3)
    rest.first = first
    assert list(rest) == list(whole)[first:]
    assert sum(whole.size(step) for step in range(whole.steps)) == count


@given(st.integers(1, 50), st.integers(1, 30), st.floats(0, 5))
def test_the_learning_rate_rises_falls_and_stays_within_bounds(steps: int, epochs: int, warmup: float) -> None:
    chosen = Hyperparameters(epochs=epochs, warmup_epochs=warmup)
    rates = [learning_rate_factor(step, steps, chosen) for step in range(steps * epochs)]
    top = rates.index(max(rates))
    assert all(0 <= rate <= 1 for rate in rates)
    assert rates[:top] == sorted(rates[:top])
    assert rates[top:] == sorted(rates[top:], reverse=True)


def test_a_picture_varies_by_seed_epoch_and_number_alone(tmp_path: Path) -> None:
    found = split.load(drawn_pictures.draw_split(tmp_path / "train", 3), drawn_pictures.CLASSES)
    pictures, same, other = (PictureDataset(found, 32, seed) for seed in (7, 7, 8))
    for index in range(9):
        assert torch.equal(pictures[index, 2, True][0], same[index, 2, True][0])
        assert not torch.equal(pictures[index, 2, True][0], pictures[index, 3, True][0])
        assert not torch.equal(pictures[index, 2, True][0], other[index, 2, True][0])


@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 3), st.integers(0, 9))
def test_features_come_as_the_share_has_them(count: int, batch: int, world: int, epoch: int) -> None:
    features = np.arange(2.0 * count, dtype=np.float32).reshape(count, 2)
    sampler, same = (DistributedBatchSampler(count, batch, world - 1, world, 5) for _ in range(2))
    source = FeatureBatches.of(features, list(range(count)), sampler, CPU)
    same.epoch = epoch
    first = min(1, source.steps - 1)
    found = list(source.batches(epoch, first))
    expected = [[(index if counted else IGNORE_INDEX) for index, _, counted in items] for items in same]
    assert [targets.tolist() for _, targets in found] == expected[first:]
    for drawn, items in zip(found, list(same)[first:], strict=True):
        assert drawn[0].tolist() == [features[index].tolist() for index, _, _ in items]


class InMemoryCheckpoints(Checkpoints):
    """Keeps what would be saved, as a file would return it."""

    def __init__(self) -> None:
        super().__init__(None)
        self.saved: dict[str, Any] | None = None

    def save(self, state: Mapping[str, Any], trainer_state: Mapping[str, Any] | None) -> bool:
        """Keep a copy."""
        file = io.BytesIO()
        torch.save({STATE: state, TRAINER_STATE: trainer_state}, file)
        file.seek(0)
        self.saved = torch.load(file, weights_only=True)
        return True


class StoppingSource:
    """A source in which a stop is requested at the n-th batch over all epochs."""

    def __init__(self, source: FeatureBatches, stop: StopSignal, at: int) -> None:
        self.source, self.stop, self.at = source, stop, at
        self.count, self.steps, self.size = source.count, source.steps, source.size

    def batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """The batches of the source."""
        for batch in self.source.batches(epoch, first):
            self.at -= 1
            self.stop.requested |= self.at == 0
            yield batch


def trained(saved: dict[str, Any] | None, at_training: int, at_validation: int) -> tuple[Any, TrainingState]:
    """Returns what a small training saved before a requested stop, and its state."""
    chance = np.random.default_rng(0)
    features, targets = chance.normal(size=(22, 6)).astype(np.float32), chance.integers(0, 3, 22).tolist()
    chosen = Hyperparameters(batch_size=4, epochs=3, learning_rate=0.05, patience=0)
    torch.manual_seed(1)
    parts = (torch.nn.Linear(6, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.4), torch.nn.Linear(8, 3))
    stop, checkpoints = StopSignal(), InMemoryCheckpoints()
    train = FeatureBatches.of(features, targets, DistributedBatchSampler(22, 4, 0, 1, 3), CPU)
    validation = FeatureBatches.of(features, targets, DistributedBatchSampler(22, 4, 0, 1, None), CPU)
    module, exact = torch.nn.Sequential(*parts), precision.choose("fp32", CPU)
    trainer = Trainer(module, chosen, exact, ALONE, checkpoints=checkpoints, stop=stop)
    if saved:
        trainer.resume(saved)
    with suppress(StoppedError):
        trainer.run(StoppingSource(train, stop, at_training), StoppingSource(validation, stop, at_validation))
    return checkpoints.saved, trainer.state


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 18), st.integers(1, 18), st.booleans())
def test_a_training_that_is_stopped_anywhere_has_the_same_result(training: int, validation: int, first: bool) -> None:
    """In an epoch, after its last step, or while it validates."""
    _, whole = trained(None, 0, 0)
    saved, stopped = trained(None, training if first else 0, 0 if first else validation)
    assert not stopped.is_over(Hyperparameters(epochs=3, patience=0))
    _, resumed = trained(saved, 0, 0)
    for expected, other in zip(whole.history, resumed.history, strict=True):
        for name in ("train:loss", "train:accuracy", "validation:loss", "validation:accuracy"):
            assert expected[name] == other[name]
    assert whole.best_epoch == resumed.best_epoch
    assert all(torch.equal(value, resumed.best_module[name]) for name, value in whole.best_module.items())


def test_an_epoch_has_no_batch_beyond_its_last() -> None:
    source = FeatureBatches.of(np.zeros((8, 2), np.float32), [0] * 8, DistributedBatchSampler(8, 4, 0, 1, 1), CPU)
    assert list(source.batches(0, 2)) == []


def worsening(patience: int, epochs: int) -> tuple[TrainingState, torch.nn.Module, Trainer, FeatureBatches]:
    """Returns a training whose validation has other labels: the more it learns, the worse its validation loss."""
    chance = np.random.default_rng(3)
    features, targets = chance.normal(size=(40, 6)).astype(np.float32), chance.integers(0, 2, 40)
    chosen = Hyperparameters(batch_size=8, epochs=epochs, learning_rate=0.1, warmup_epochs=0, patience=patience)
    torch.manual_seed(1)
    module = torch.nn.Linear(6, 2)
    trainer = Trainer(module, chosen, precision.choose("fp32", CPU), ALONE)
    train = FeatureBatches.of(features, targets.tolist(), DistributedBatchSampler(40, 8, 0, 1, 3), CPU)
    validation = FeatureBatches.of(features, (1 - targets).tolist(), DistributedBatchSampler(40, 8, 0, 1, None), CPU)
    trainer.run(train, validation)
    return trainer.state, module, trainer, validation


@pytest.mark.parametrize("patience", [1, 3])
def test_it_stops_when_nothing_gets_better_and_keeps_the_best(patience: int) -> None:
    state, module, trainer, validation = worsening(patience, epochs=20)
    losses = [row["validation:loss"] for row in state.history]
    assert state.best_epoch == losses.index(min(losses))
    assert len(losses) == state.best_epoch + 1 + patience < 20
    assert trainer.evaluate(validation)["validation:loss"] == losses[-1] > min(losses)
    module.load_state_dict(state.best_module)
    assert trainer.evaluate(validation)["validation:loss"] == min(losses)


def test_without_patience_it_never_stops_before_its_last_epoch() -> None:
    state, *_ = worsening(0, epochs=9)
    assert len(state.history) == 9
    assert state.best_epoch < 8
