"""A training that ends early, in any way, and how the next start resumes it."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
from pathlib import Path

import pytest
import torch
from train_process import (
    HEAD,
    NORMALIZED,
    TRAIN,
    WHOLE,
    Process,
    equal,
    metrics,
    read_until,
    run,
    start,
    start_together,
    together,
    weights,
)

import model_folder
from checkpoints import STATE, TRAINER_STATE, Checkpoints
from errors import ModelError

EVERY_STEP = ("--checkpoint-minutes", "0.0000001")
SLOW = ("--batch-size", "1", "--epochs", "3", "--dropout", "0.3", "--head-width", "8")
PLACE = r"resumed from .*: epoch (\d), step (\d+)"


def ended(process: Process, code: int) -> str:
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, out + err
    return out


def test_a_stopped_training_ends_with_the_weights_of_one_that_was_not(data: Path, tmp_path: Path) -> None:
    how = ["--data", data, *WHOLE, *SLOW]
    run(*how, "--model-dir", tmp_path / "whole")
    folders = ["--checkpoint-dir", tmp_path / "checkpoints", "--model-dir", tmp_path / "resumed", "--workers", "1"]
    process = start(*how, *folders)
    read_until(process, "epoch 1 of 3")
    # As torchrun does: the whole group, so that the workers get it, too.
    os.killpg(process.pid, signal.SIGTERM)
    assert "resumes from there" in ended(process, 143)
    out, _ = run(*how, *folders)
    place = re.search(PLACE, out)
    assert place is not None
    assert int(place[1]) >= 2
    assert int(place[2]) > 0, "in the middle of an epoch"
    assert equal(weights(tmp_path / "whole"), weights(tmp_path / "resumed"))


@pytest.mark.parametrize("count", [1, 2])
def test_a_killed_training_resumes_in_the_middle_of_an_epoch(count: int, data: Path, tmp_path: Path) -> None:
    """With a network that normalizes by running means, which a checkpoint must hold, too."""
    how = ["--data", data, *NORMALIZED, *SLOW, "--batch-size", "2", "--epochs", "2"]
    together(count, *how, "--model-dir", tmp_path / "whole")
    folders = ["--checkpoint-dir", tmp_path / "checkpoints", "--model-dir", tmp_path / "resumed"]
    processes = start_together(count, *how, *folders, *EVERY_STEP)
    read_until(processes[0], "saved at epoch 2, step 2")
    for process in processes:
        process.kill()
        process.communicate()
    place = re.search(PLACE, together(count, *how, *folders)[0][0])
    assert place is not None
    assert (place[1], int(place[2]) >= 2) == ("2", True)
    assert equal(weights(tmp_path / "whole"), weights(tmp_path / "resumed"))


def test_processes_stop_and_resume_together(data: Path, tmp_path: Path) -> None:
    how = ["--data", data, *NORMALIZED, *SLOW, "--batch-size", "2"]
    together(2, *how, "--model-dir", tmp_path / "whole")
    folders = ["--checkpoint-dir", tmp_path / "checkpoints", "--model-dir", tmp_path / "resumed"]
    processes = start_together(2, *how, *folders)
    read_until(processes[0], "epoch 1 of 3")
    processes[1].terminate()
    for process in processes:
        ended(process, 143)
    assert "resumed from" in together(2, *how, *folders)[0][0]
    assert equal(weights(tmp_path / "whole"), weights(tmp_path / "resumed"))


def test_processes_of_torchrun_stop_in_order_even_if_signaled_twice(data: Path, tmp_path: Path) -> None:
    """Once by itself, once from torchrun, when the whole group gets the signal."""
    how = ["--data", data, *NORMALIZED, *SLOW, "--batch-size", "2", "--model-dir", tmp_path / "model"]
    folders = ["--checkpoint-dir", tmp_path / "checkpoints"]
    code = "from torch.distributed.run import main; main()"
    launched = ("--standalone", "--nproc-per-node", "2", TRAIN, *how, *folders)
    process = start(*launched, code=code)
    read_until(process, "epoch 1 of 3")
    os.killpg(process.pid, signal.SIGTERM)
    process.communicate(timeout=120)
    assert re.search(PLACE, ended(start(*launched, code=code), 0))


@pytest.mark.parametrize("count", [1, 2])
def test_a_stop_signal_works_while_features_are_computed(count: int, data: Path, tmp_path: Path) -> None:
    how = ["--data", data, *HEAD, "--architecture", "resnet50", "--image-size", "224", "--batch-size", "1"]
    processes = start_together(count, *how, "--model-dir", tmp_path / "model")
    read_until(processes[0], "features of 27 pictures are computed")
    processes[-1].terminate()
    outputs = [ended(process, 143) for process in processes]
    assert re.search(r"stopped: the features of \d+ of 27 pictures are not kept", outputs[0])
    assert not (tmp_path / "model").exists()


def test_a_second_signal_ends_the_process_at_once(data: Path, tmp_path: Path) -> None:
    """The first of two processes waits for the second, which does nothing: it cannot end in order."""
    processes = start_together(2, "--data", data, *WHOLE, *SLOW, "--epochs", "50", "--model-dir", tmp_path / "model")
    read_until(processes[0], "epoch 1 of 50")
    processes[1].send_signal(signal.SIGSTOP)
    try:
        processes[0].terminate()
        assert not has_ended(processes[0])
        signals = 1
        while not has_ended(processes[0]) and signals < 100:
            processes[0].terminate()
            signals += 1
        assert processes[0].returncode == 143
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def has_ended(process: Process) -> bool:
    """Returns whether a process ends within a moment."""
    try:
        process.wait(timeout=0.2)
    except subprocess.TimeoutExpired:
        return False
    return True


def test_without_a_checkpoint_folder_the_best_model_so_far_is_written(data: Path, tmp_path: Path) -> None:
    process = start("--data", data, *WHOLE, *SLOW, "--model-dir", tmp_path / "model")
    read_until(process, "epoch 1 of 3")
    process.terminate()
    out = ended(process, 143)
    assert "is not saved, as there is no folder for checkpoints; name one with --checkpoint-dir" in out
    assert f"{tmp_path / 'model'} has the best model so far" in out
    network, _ = model_folder.read(tmp_path / "model")
    assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 3)
    assert metrics(tmp_path / "model") == model_folder.read_history(tmp_path / "model")[0]


@pytest.mark.parametrize("how", [HEAD, (*NORMALIZED, "--epochs", "1")], ids=["head", "all"])
def test_a_complete_training_is_not_repeated(how: tuple[str, ...], data: Path, tmp_path: Path) -> None:
    command = ["--data", data, *how, "--checkpoint-dir", tmp_path / "checkpoints", "--model-dir"]
    run(*command, tmp_path / "one")
    (file,) = (tmp_path / "checkpoints").rglob("checkpoint.pt")
    checkpoint = torch.load(file, weights_only=True)
    assert checkpoint[TRAINER_STATE] is None
    size = sum(value.nbytes for value in checkpoint[STATE]["best_module"].values())
    assert file.stat().st_size < size + 100_000, "the best weights and next to nothing"
    out, _ = run(*command, tmp_path / "other")
    assert "already complete" in out
    assert "features of" not in out
    assert equal(weights(tmp_path / "one"), weights(tmp_path / "other"))
    for name in (model_folder.MODEL_FILE, model_folder.HISTORY_FILE):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def test_another_training_does_not_resume_from_it(data: Path, tmp_path: Path) -> None:
    how = ["--data", data, *HEAD, "--checkpoint-dir", tmp_path / "checkpoints", "--model-dir", tmp_path / "model"]
    run(*how)
    out, _ = run(*how, "--learning-rate", "0.02")
    assert "resumed" not in out
    assert "already complete" not in out


def test_a_damaged_checkpoint_is_one_line(data: Path, tmp_path: Path) -> None:
    how = ["--data", data, *HEAD, "--checkpoint-dir", tmp_path / "checkpoints", "--model-dir", tmp_path / "model"]
    run(*how)
    (file,) = (tmp_path / "checkpoints").rglob("checkpoint.pt")
    file.write_bytes(file.read_bytes()[:-100])
    _, err = run(*how, code=2)
    assert re.fullmatch(rf"train.py: {file} is damaged \(.*\); delete it to start again\n", err)


def whole(folder: Path) -> Path:
    checkpoints = Checkpoints(folder)
    checkpoints.save({"epoch": 2, "step": 5, "x": torch.arange(1000.0)}, {})
    return folder / "checkpoint.pt"


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + 200 * b"\0"])
def test_an_invalid_checkpoint_is_reported(content: bytes, tmp_path: Path) -> None:
    whole(tmp_path).write_bytes(content)
    with pytest.raises(ModelError, match=r"is damaged .*; delete it to start again"):
        Checkpoints(tmp_path).load()


def test_a_single_wrong_byte_is_detected(tmp_path: Path) -> None:
    content = bytearray(whole(tmp_path).read_bytes())
    content[content.index(torch.arange(1000.0).numpy().tobytes()) + 99] ^= 1
    whole(tmp_path).write_bytes(content)
    with pytest.raises(ModelError, match=r"has a wrong checksum.*; delete it to start again"):
        Checkpoints(tmp_path).load()


@pytest.mark.parametrize("value", [{}, [1, 2], {STATE: {"epoch": 1}}, {STATE: {"epoch": 1, "step": 2}}])
def test_another_file_is_not_a_checkpoint(value: object, tmp_path: Path) -> None:
    torch.save(value, whole(tmp_path))
    with pytest.raises(ModelError, match=r"is damaged .*; delete it to start again"):
        Checkpoints(tmp_path).load()


def test_a_disk_without_room_keeps_the_checkpoint_before(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A limit on files stands for the disk: the system says no in the same place."""
    before = whole(tmp_path).read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        assert not Checkpoints(tmp_path).save({"epoch": 3, "step": 1, "x": torch.zeros(100_000)}, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "the previous one, if any, is kept" in caplog.text
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"checkpoint.pt": before}


def test_a_checkpoint_folder_is_named_by_the_trainings_inputs(tmp_path: Path) -> None:
    one, same, other = (Checkpoints.for_training(tmp_path, 5, {"seed": seed}) for seed in (1, 1, 2))
    one.save({"epoch": 2, "step": 5, "x": torch.ones(2)}, None)
    found = same.load()
    assert found is not None
    assert torch.equal(found[STATE]["x"], torch.ones(2))
    assert other.load() is None


def test_a_checkpoint_is_due_when_the_last_one_is_old_enough(tmp_path: Path) -> None:
    now = 0.0
    checkpoints = Checkpoints(tmp_path, minutes=5, clock=lambda: now)
    due = []
    for seconds in (299.0, 300.0):
        now = seconds
        due.append(checkpoints.is_due())
    checkpoints.save({}, None)
    due.append(checkpoints.is_due())
    now = 600.0
    assert [*due, checkpoints.is_due()] == [False, True, False, True]
    never, nowhere = Checkpoints(tmp_path, 0, lambda: now), Checkpoints(None, 5, lambda: now)
    now = 1e9
    assert (never.is_due(), nowhere.is_due()) == (False, False)
