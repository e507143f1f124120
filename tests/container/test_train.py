"""train.py as a user meets it: real images, real processes, and the model directory that they leave."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import drawn
import pytest
import torch

import contract
import model_folder

TRAIN = Path(contract.__file__).with_name(contract.TRAIN)
SMALL = ("--architecture", "squeezenet1_1", "--weights", "none", "--image-size", "32", "--batch-size", "4")
WHOLE = (*SMALL, "--layers", "all", "--learning-rate", "0.001", "--precision", "fp32", "--workers", "0")
HEAD = (*SMALL, "--layers", "head", "--precision", "fp32", "--workers", "0", "--epochs", "3")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of three textures, in the course project's folders."""
    folder = tmp_path_factory.mktemp("data")
    drawn.draw_split(folder / "train", 9)
    drawn.draw_split(folder / "valid", 5)
    return folder


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SM_", "AWS_"))}
    return {**kept, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", **more}


def start(*arguments: object, **more: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(TRAIN), *map(str, arguments)]
    return subprocess.Popen(
        command,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(*arguments: object, code: int = 0, **more: str) -> tuple[str, str]:
    process = start(*arguments, **more)
    out, err = process.communicate(timeout=300)
    assert process.returncode == code, err[-3000:]
    return out, err


def together(count: int, port: int, *arguments: object) -> str:
    """Several processes that train together; what the first one says."""
    places = [
        {"RANK": str(rank), "WORLD_SIZE": str(count), "LOCAL_RANK": str(rank), "MASTER_PORT": str(port)}
        for rank in range(count)
    ]
    processes = [start(*arguments, MASTER_ADDR="127.0.0.1", **place) for place in places]
    told = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0] * count, told
    assert "[metric]" not in told[-1][0]
    return told[0][0]


def weights(folder: Path) -> Mapping[str, torch.Tensor]:
    found: Mapping[str, torch.Tensor] = torch.load(folder / model_folder.WEIGHTS_FILE, weights_only=True)
    return found


def metrics(folder: Path) -> Mapping[str, float]:
    return model_folder.read_description(folder).metrics


def equal(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_flags_alone_are_enough_and_the_directory_serves_itself(data: Path, tmp_path: Path) -> None:
    out, _ = run("--data", data, "--model-dir", tmp_path / "model", "--output-dir", tmp_path / "output", *HEAD)
    network, model = model_folder.read(tmp_path / "model")
    assert model.labels == drawn.LABELS
    assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 3)
    assert (tmp_path / "model" / "code" / contract.INFERENCE).is_file()
    history = json.loads((tmp_path / "output" / model_folder.HISTORY_FILE).read_text())
    assert len(history) == 3
    for name in contract.METRICS:
        logged = re.findall(contract.METRIC_REGEX.format(name=name), out)
        assert len(logged) == 4, "one for each epoch, and the best one's last"
    assert float(logged[-1]) == pytest.approx(model.metrics[name], rel=1e-4)


def test_sagemakers_environment_is_enough_too(data: Path, tmp_path: Path) -> None:
    places = {"SM_CHANNEL_TRAIN": data / "train", "SM_CHANNEL_VALIDATION": data / "valid", "SM_MODEL_DIR": tmp_path}
    process = start(*HEAD, **{name: str(place) for name, place in places.items()})
    assert process.communicate(timeout=300)[1] == ""
    assert process.returncode == 0
    assert metrics(tmp_path)


@pytest.mark.parametrize("how", [HEAD, (*WHOLE, "--epochs", "2")], ids=["head", "all"])
def test_the_same_flags_give_the_same_weights(how: tuple[str, ...], data: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        run("--data", data, "--model-dir", tmp_path / name, *how)
    assert equal(weights(tmp_path / "one"), weights(tmp_path / "other"))


@pytest.mark.parametrize("layers", ["head", "all"])
def test_two_processes_do_what_one_does(layers: str, data: Path, tmp_path: Path) -> None:
    """27 images in batches of 10: the last one has seven, so that the two processes have not equally many."""
    how = [*WHOLE, "--epochs", "2", "--dropout", "0", "--layers", layers, "--data", data]
    run(*how, "--batch-size", "10", "--model-dir", tmp_path / "one")
    out = together(2, 29511 + len(layers), *how, "--batch-size", "5", "--model-dir", tmp_path / "two")
    assert "joined by gloo" in out
    one, two = metrics(tmp_path / "one"), metrics(tmp_path / "two")
    if layers == "head":
        for name in ("train:loss", "train:accuracy", "validation:loss", "validation:accuracy"):
            assert two[name] == pytest.approx(one[name], abs=1e-4)
    assert weights(tmp_path / "one").keys() == weights(tmp_path / "two").keys()
    assert model_folder.read_description(tmp_path / "two").versions["processes"] == "2"


def test_a_last_batch_of_next_to_nothing_goes_with_the_one_before(data: Path, tmp_path: Path) -> None:
    """With 27 images in batches of 13 one would be left, and one image has no variance to normalize by."""
    how = [*WHOLE, "--data", data, "--architecture", "resnet18", "--batch-size", "13", "--epochs", "1"]
    run(*how, "--model-dir", tmp_path)
    assert metrics(tmp_path)["train:loss"] > 0


def test_an_interrupted_training_ends_with_the_weights_of_one_that_was_not(data: Path, tmp_path: Path) -> None:
    how = ["--data", data, *WHOLE, "--batch-size", "1", "--epochs", "3", "--dropout", "0.3"]
    run(*how, "--model-dir", tmp_path / "whole")
    kept = ["--checkpoint-dir", tmp_path / "checkpoints", "--model-dir", tmp_path / "resumed", "--workers", "1"]
    process = start(*how, *kept)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch 1 of 3"):
            break
    os.killpg(process.pid, signal.SIGTERM)  # as torchrun does: the workers hear it, too
    out, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    assert "goes on from here" in out
    out, _ = run(*how, *kept)
    place = re.search(r"resumed from .*: epoch (\d), step (\d+)", out)
    assert place is not None
    assert int(place[1]) >= 2
    assert int(place[2]) > 0, "in the middle of an epoch"
    assert equal(weights(tmp_path / "whole"), weights(tmp_path / "resumed"))


def test_another_training_does_not_resume_from_it(data: Path, tmp_path: Path) -> None:
    how = ["--data", data, *HEAD, "--checkpoint-dir", tmp_path / "checkpoints", "--model-dir", tmp_path / "model"]
    run(*how)
    assert "resumed" in run(*how)[0]
    assert "resumed" not in run(*how, "--learning-rate", "0.02")[0]


def test_features_of_another_backbone_are_not_taken(data: Path, tmp_path: Path) -> None:
    how = ["--data", data, *HEAD, "--cache-dir", tmp_path / "cache", "--model-dir", tmp_path / "model"]
    run(*how, "--seed", "1")
    assert "are taken from" not in run(*how, "--seed", "2")[0]


def test_processes_of_which_one_has_features_compute_them_together(data: Path, tmp_path: Path) -> None:
    how = [*HEAD, "--data", data, "--model-dir", tmp_path / "model"]
    run(*how, "--cache-dir", tmp_path / "full")
    places = [
        {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29523"} for rank in (0, 1)
    ]
    caches = (tmp_path / "full", tmp_path / "empty")
    processes = [start(*how, "--cache-dir", cache, **place) for cache, place in zip(caches, places, strict=True)]
    for process in processes:
        process.communicate(timeout=120)
    assert [process.returncode for process in processes] == [0, 0]


def test_features_are_kept_for_the_next_training(data: Path, tmp_path: Path) -> None:
    how = ["--data", data, *HEAD, "--cache-dir", tmp_path / "cache"]
    assert "are taken from" not in run(*how, "--model-dir", tmp_path / "one")[0]
    assert "are taken from" in run(*how, "--model-dir", tmp_path / "other")[0]
    assert equal(weights(tmp_path / "one"), weights(tmp_path / "other"))


def test_weights_of_a_file_are_the_backbones(data: Path, tmp_path: Path) -> None:
    run("--data", data, *WHOLE, "--epochs", "1", "--model-dir", tmp_path / "before")
    file = tmp_path / "before" / model_folder.WEIGHTS_FILE
    run("--data", data, *HEAD, "--weights", file, "--model-dir", tmp_path / "after")
    before, after = weights(tmp_path / "before"), weights(tmp_path / "after")
    backbone = [name for name in before if name.startswith("backbone.")]
    assert backbone
    assert all(torch.equal(before[name], after[name]) for name in backbone)


def nan_weights(data: Path, tmp_path: Path) -> Path:
    run("--data", data, *WHOLE, "--epochs", "1", "--model-dir", tmp_path / "model")
    state = {name: torch.full_like(value, float("nan")) for name, value in weights(tmp_path / "model").items()}
    torch.save(state, tmp_path / "nan.pth")
    return tmp_path / "nan.pth"


def test_a_loss_that_is_no_number_ends_the_training(data: Path, tmp_path: Path) -> None:
    out, err = run("--data", data, *HEAD, "--weights", nan_weights(data, tmp_path), code=2)
    assert err.count("\n") == 1
    assert "the loss is no number any more in epoch 1, at step 1; lower --learning-rate" in err
    assert contract.METRIC_LINE.format(name="train:loss", value="nan") in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "neither --data nor --train and --validation is given; say where the images are"),
        (["--data", "nowhere"], "nowhere/train is no folder; give one"),
        (["--batch_size", "0"], "--batch-size is 0; give 1 to 16384"),
        (["--architecture", "resnet51"], "torchvision has no classifier resnet51; name one like resnet50"),
        (["--weights", "IMAGENET1K_V7"], "torchvision has no weights IMAGENET1K_V7 for squeezenet1_1; use"),
        (["--weights", "missing.pth"], "--weights missing.pth is no file; give one"),
        (["--precision", "fp16"], "--precision fp16 is for GPUs"),
        (["--device", "cuda"], "--device cuda: torch sees no GPU here; use cpu"),
        (["--dataset", "/"], "/ has no dataset.json; give the folder that prepare.py wrote"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], told: str, data: Path) -> None:
    given = ["--data", data, *HEAD, *arguments] if arguments and arguments[0] != "--data" else arguments
    _, err = run(*given, code=2, CUDA_VISIBLE_DEVICES="")  # two of the mistakes are ones only without a GPU
    assert err == f"train.py: {err.removeprefix('train.py: ')}"
    assert told in err
    assert err.count("\n") == 1


def debugger(tmp_path: Path) -> str:
    hook = {
        "S3OutputPath": f"{tmp_path}/s3",
        "LocalPath": str(tmp_path / "tensors"),
        "HookParameters": {"save_interval": "1"},
        "CollectionConfigurations": [{"CollectionName": "losses"}],
    }
    place = tmp_path / "debughookconfig.json"
    place.write_text(json.dumps(hook), encoding="utf-8")
    return str(place)


def test_the_debuggers_hook_saves_the_losses(data: Path, tmp_path: Path) -> None:
    run(
        "--data",
        data,
        *WHOLE,
        "--epochs",
        "1",
        "--model-dir",
        tmp_path / "model",
        SMDEBUG_CONFIG_FILE_PATH=debugger(tmp_path),
    )
    assert list((tmp_path / "tensors").rglob("*.tfevents"))


def test_without_its_library_the_debugger_is_refused(data: Path, tmp_path: Path) -> None:
    code = "import sys; sys.modules['smdebug'] = None; import command, train; command.run(train.main)"
    command: list[Any] = [sys.executable, "-c", code, "--data", str(data), *WHOLE]
    done = subprocess.run(
        command,
        cwd=TRAIN.parent,
        env=environment(SMDEBUG_CONFIG_FILE_PATH=debugger(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "asks for the Debugger, and smdebug is not here" in done.stderr
