"""Processes that train together: their ranks, their devices, and how none is left waiting."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import drawn_pictures
import pytest
import torch
from train_process import (
    HEAD,
    NORMALIZED,
    PATIENCE,
    WHOLE,
    launcher_environments,
    metrics,
    read_until,
    run,
    start,
    start_together,
    together,
    weights,
)

import backends
import devices
import model_folder
import picture_dataset
import precision
import process_group
import split
from batch_sources import PictureBatches
from errors import InvalidFlagError
from hyperparameters import Hyperparameters
from process_group import ProcessGroup, Rank
from trainer import Trainer
from watchdog import watchdog

CPU = torch.device("cpu")
ALONE_THERE = {"LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1"}
LAUNCHED = {"SM_FRAMEWORK_PARAMS": '{"sagemaker_distributed_dataparallel_enabled": true}'}


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        ({}, Rank()),
        ({"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}, Rank(3, 4, 1, 2)),
        (
            {"OMPI_COMM_WORLD_RANK": "9", "OMPI_COMM_WORLD_SIZE": "16", "OMPI_COMM_WORLD_LOCAL_RANK": "1"},
            Rank(9, 16, 1, 1),
        ),
        ({"SM_HOSTS": '["algo-2", "algo-1"]', "SM_CURRENT_HOST": "algo-2"}, Rank(1, 2)),
        ({"SM_HOSTS": '["algo-1"]', "SM_CURRENT_HOST": "algo-1"}, Rank()),
    ],
)
def test_the_rank_is_read_from_the_launchers_variables(environ: dict[str, str], place: Rank) -> None:
    assert process_group.from_environment(environ) == place


@pytest.mark.parametrize(
    ("name", "local_rank", "gpu_count", "device"),
    [
        ("auto", 0, 0, "cpu"),
        ("cpu", 1, 4, "cpu"),
        ("auto", 3, 4, "cuda:3"),
        ("cuda", 1, 4, "cuda:1"),
        ("cuda:2", 0, 4, "cuda:2"),
    ],
)
def test_each_process_has_a_device_of_its_own(name: str, local_rank: int, gpu_count: int, device: str) -> None:
    assert str(devices.choose(name, local_rank, local_rank + 1, gpu_count)) == device


@pytest.mark.parametrize(
    ("name", "place", "gpu_count", "message"),
    [
        ("mps", (0, 1), 0, "--device mps is not supported; use auto, cpu, cuda or cuda:N"),
        ("foo", (0, 1), 4, "--device foo is not supported; use auto, cpu, cuda or cuda:N"),
        ("cuda:x", (0, 1), 4, "--device cuda:x is not supported"),
        ("cuda", (0, 1), 0, "--device cuda: torch sees no GPU here; use cpu"),
        (
            "cuda:9",
            (0, 1),
            4,
            "--device cuda:9 is not a GPU of this machine: torch sees 4 of them, from cuda:0 to cuda:3",
        ),
        ("cuda:1", (0, 2), 4, "--device cuda:1 is one GPU for 2 processes; use cuda, and each takes its own"),
        ("auto", (4, 8), 4, "process 5 of this machine has no GPU: torch sees 4 of them.*; start one process for each"),
    ],
)
def test_a_missing_device_is_reported(name: str, place: tuple[int, int], gpu_count: int, message: str) -> None:
    with pytest.raises(InvalidFlagError, match=message):
        devices.choose(name, *place, gpu_count)


@pytest.fixture
def smddp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a library of that name on the path, as in AWS's image."""
    package = tmp_path / "smdistributed" / "dataparallel" / "torch"
    package.mkdir(parents=True)
    (package / "torch_smddp.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    yield package
    for name in [name for name in sys.modules if name.startswith("smdistributed")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("device", "environ", "backend"),
    [
        ("cuda", LAUNCHED, "smddp"),
        ("cuda", {"SMDATAPARALLEL_USE_SINGLENODE": "1"}, "smddp"),
        ("cuda", {}, "nccl"),
        ("cuda", {"OMPI_COMM_WORLD_RANK": "0", "SM_FRAMEWORK_PARAMS": "{}"}, "nccl"),
        ("cpu", LAUNCHED, "gloo"),
    ],
)
@pytest.mark.usefixtures("smddp")
def test_smddp_joins_those_that_its_launcher_has_started(device: str, environ: dict[str, str], backend: str) -> None:
    """Images also have the library on machines that it does not support."""
    assert backends.choose("auto", device, environ) == backend


def test_smddp_needs_its_library() -> None:
    assert backends.choose("auto", "cuda", LAUNCHED) == "nccl"
    with pytest.raises(InvalidFlagError, match="--backend smddp: its library is not installed; use nccl"):
        backends.choose("smddp", "cuda", LAUNCHED)


@pytest.mark.parametrize("file", ["torch_smddp.py", "__init__.py"])
@pytest.mark.parametrize("error", ["ImportError", "OSError"])
def test_a_library_that_cannot_be_loaded_is_reported(error: str, file: str, smddp: Path) -> None:
    (smddp / file).write_text(f"raise {error}('libcudart.so.12')", encoding="utf-8")
    assert backends.choose("auto", "cuda", LAUNCHED) == "smddp"
    with pytest.raises(InvalidFlagError, match=r"smddp cannot be loaded \(libcudart.so.12\); use --backend nccl"):
        backends.load("smddp")


def test_the_watchdog_ends_waiting() -> None:
    gave_up = threading.Event()
    with watchdog(0.01, gave_up.set):
        assert gave_up.wait(PATIENCE)
    late = threading.Event()
    with watchdog(PATIENCE, late.set):
        pass
    assert not late.is_set()


@pytest.mark.parametrize("layers", ["head", "all"])
def test_two_processes_give_the_same_result_as_one(layers: str, data: Path, tmp_path: Path) -> None:
    """27 images in batches of 10: the last one has seven, so that the two processes have not equally many."""
    how = [*WHOLE, "--epochs", "2", "--dropout", "0", "--cache-dir", "none", "--layers", layers, "--data", data]
    run(*how, "--batch-size", "10", "--model-dir", tmp_path / "one")
    out, _ = together(2, *how, "--batch-size", "5", "--model-dir", tmp_path / "two")[0]
    assert "joined by gloo" in out
    one, two = metrics(tmp_path / "one"), metrics(tmp_path / "two")
    if layers == "head":
        for name in ("train:loss", "train:accuracy", "validation:loss", "validation:accuracy"):
            assert two[name] == pytest.approx(one[name], abs=1e-4)
    assert weights(tmp_path / "one").keys() == weights(tmp_path / "two").keys()
    assert model_folder.read_description(tmp_path / "two").versions["processes"] == "2"


def test_the_metrics_of_two_processes_are_those_of_the_saved_model(data: Path, tmp_path: Path) -> None:
    """Running means differ between processes until they are averaged: all processes measure with the saved ones."""
    together(2, *NORMALIZED, "--epochs", "2", "--data", data, "--model-dir", tmp_path)
    network, model = model_folder.read(tmp_path)
    found = split.load(data / "valid", model.classes)
    exact = precision.choose("fp32", CPU)
    share = picture_dataset.DistributedBatchSampler(len(found.paths), 15, 0, 1, None)
    source = PictureBatches(
        picture_dataset.PictureDataset(found, model.image_size), share, 0, 60, exact, model.mean, model.std
    )
    measured = Trainer(network, Hyperparameters(), exact, ProcessGroup(Rank(), CPU, "")).evaluate(source)
    assert measured["validation:loss"] == pytest.approx(model.metrics["validation:loss"], abs=1e-4)
    assert measured["validation:accuracy"] == pytest.approx(model.metrics["validation:accuracy"])


BROKEN = """
import os, torch
if os.environ["RANK"] == "1":
    torch.optim.AdamW = None
import command, train
command.run(train.main)
"""


def test_an_error_of_one_process_ends_all_and_keeps_its_traceback(data: Path, tmp_path: Path) -> None:
    """In the second process torch is broken; the first one is in the middle of a collective operation."""
    how = ["--data", data, *WHOLE, "--epochs", "50", "--model-dir", tmp_path]
    first, second = (start(*how, code=BROKEN, **place) for place in launcher_environments(2))
    _, err = second.communicate(timeout=PATIENCE)
    assert second.returncode == 1
    assert err.rstrip().endswith("TypeError: 'NoneType' object is not callable")
    assert "Traceback" in err
    _, err = first.communicate(timeout=PATIENCE)
    assert first.returncode == 2
    line = err.splitlines()[-1]
    assert re.search(
        r"process 1 of 2 lost the connection to the others \(.*\); read the log of the process that ended first", line
    )
    assert "Traceback" not in err


def test_waiting_for_a_process_has_a_time_out(data: Path, tmp_path: Path) -> None:
    how = ["--data", data, *WHOLE, "--epochs", "50", "--wait-minutes", "0.2"]
    processes = start_together(2, *how, "--model-dir", tmp_path)
    read_until(processes[0], "epoch 1 of 50")
    processes[1].send_signal(signal.SIGSTOP)
    try:
        _, err = processes[0].communicate(timeout=PATIENCE)
        assert processes[0].returncode == 2
        assert "process 1 of 2 lost the connection to the others" in err
        assert "Timed out waiting 12000ms" in err
        assert "Traceback" not in err
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_a_process_that_cannot_connect_reports_it(data: Path, tmp_path: Path) -> None:
    process = start(
        "--data", data, *WHOLE, "--wait-minutes", "0.02", "--model-dir", tmp_path, **launcher_environments(2)[1]
    )
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert re.search(r"process 2 of 2 could not connect to the others at 127.0.0.1:\d+ \(.*\); start all of them", err)
    assert "Traceback" not in err


def test_a_user_error_in_one_process_ends_all(data: Path, tmp_path: Path) -> None:
    """Of its own images, that is: another machine has copied one of them badly."""
    broken = tmp_path / "broken"
    for path in sorted(data.rglob("*.jpg")):
        place = broken / path.relative_to(data)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, place)
    victim = sorted((broken / "train").rglob("*.jpg"))[0]
    victim.unlink()
    victim.write_bytes(b"no picture")
    drawn_pictures.described(tmp_path / "dataset")
    how = [*WHOLE, "--dataset", tmp_path / "dataset", "--model-dir", tmp_path / "model", "--epochs", "50"]
    processes = [
        start(*how, "--data", folder, **place)
        for folder, place in zip((data, broken), launcher_environments(2), strict=True)
    ]
    outputs = [process.communicate(timeout=PATIENCE)[1] for process in processes]
    assert [process.returncode for process in processes] == [2, 2]
    assert "process 1 of 2 lost the connection to the others" in outputs[0]
    assert str(victim) in outputs[1]


def test_pictures_that_one_machine_cannot_read_are_dropped_on_all(data: Path, tmp_path: Path) -> None:
    """Each has spoilt another original, and both train on the same rest, as one process does that has neither."""
    copies = [shutil.copytree(data, tmp_path / name) for name in ("one", "other", "rest")]
    bars, rings = ("train/001.Bars/003.jpg", "valid/003.Rings/001.jpg")
    for copy, name in zip(copies, (bars, rings), strict=False):
        (copy / name).write_bytes(b"no picture")
    for name in (bars, rings):
        (copies[2] / name).unlink()
    how = [*HEAD, "--epochs", "1"]
    both = zip(copies, launcher_environments(2), strict=False)
    # As on two machines: each looks at all of its own.
    processes = [
        start("--data", copy, *how, "--batch-size", "5", "--model-dir", tmp_path / "two", **{**place, **ALONE_THERE})
        for copy, place in both
    ]
    outputs = [process.communicate(timeout=PATIENCE) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert all("2 of 42 pictures are left out" in out for out, _ in outputs)
    run("--data", copies[2], *how, "--batch-size", "10", "--model-dir", tmp_path / "one-process")
    one, two = metrics(tmp_path / "one-process"), metrics(tmp_path / "two")
    assert two["validation:loss"] == pytest.approx(one["validation:loss"], abs=1e-4)
