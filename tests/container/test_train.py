"""train.py for its users: real images, real processes, and the model directory."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import drawn_pictures
import numpy as np
import psutil
import pytest
import torch
from train_process import (
    HEAD,
    NORMALIZED,
    PATIENCE,
    WHOLE,
    environment,
    equal,
    launcher_environments,
    metrics,
    read_until,
    run,
    start,
    weights,
)

import contract
import model_folder


def test_flags_alone_are_enough_and_the_directory_serves_itself(data: Path, tmp_path: Path) -> None:
    out, _ = run("--data", data, "--model-dir", tmp_path / "model", "--output-dir", tmp_path / "output", *HEAD)
    network, model = model_folder.read(tmp_path / "model")
    assert model.labels == drawn_pictures.LABELS
    assert network(torch.zeros(1, 3, 32, 32)).shape == (1, 3)
    assert (tmp_path / "model" / "code" / contract.INFERENCE).is_file()
    history = json.loads((tmp_path / "output" / model_folder.HISTORY_FILE).read_text())
    assert len(history) == 3
    for name in contract.METRICS:
        logged = re.findall(contract.METRIC_REGEX.format(name=name), out)
        assert len(logged) == 4, "one for each epoch, and the best one's last"
    assert float(logged[-1]) == pytest.approx(model.metrics[name], rel=1e-4)


def test_sagemakers_environment_is_enough_too(data: Path, tmp_path: Path) -> None:
    launcher_environments = {
        "SM_CHANNEL_TRAIN": data / "train",
        "SM_CHANNEL_VALIDATION": data / "valid",
        "SM_MODEL_DIR": tmp_path,
    }
    process = start(*HEAD, **{name: str(place) for name, place in launcher_environments.items()})
    assert process.communicate(timeout=PATIENCE)[1] == ""
    assert process.returncode == 0
    assert metrics(tmp_path)


@pytest.mark.parametrize("how", [HEAD, (*WHOLE, "--epochs", "2")], ids=["head", "all"])
def test_the_same_flags_give_the_same_weights(how: tuple[str, ...], data: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        run("--data", data, "--model-dir", tmp_path / name, *how)
    assert equal(weights(tmp_path / "one"), weights(tmp_path / "other"))


def test_a_very_small_last_batch_joins_the_one_before(data: Path, tmp_path: Path) -> None:
    """With 27 images in batches of 13 one would be left, and one image has no variance to normalize by."""
    how = [*WHOLE, "--data", data, "--architecture", "resnet18", "--batch-size", "13", "--epochs", "1"]
    run(*how, "--model-dir", tmp_path)
    assert metrics(tmp_path)["train:loss"] > 0


def test_features_of_another_backbone_are_not_taken(data: Path, tmp_path: Path) -> None:
    how = ["--data", data, *HEAD, "--cache-dir", tmp_path / "cache", "--model-dir", tmp_path / "model"]
    run(*how, "--seed", "1")
    assert "using cached features" not in run(*how, "--seed", "2")[0]


def test_processes_of_which_one_has_features_compute_them_together(data: Path, tmp_path: Path) -> None:
    how = [*HEAD, "--data", data, "--model-dir", tmp_path / "model"]
    run(*how, "--cache-dir", tmp_path / "full")
    caches = (tmp_path / "full", tmp_path / "empty")
    processes = [
        start(*how, "--cache-dir", cache, **place)
        for cache, place in zip(caches, launcher_environments(2), strict=True)
    ]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs


def test_features_are_kept_for_the_next_training(data: Path, tmp_path: Path) -> None:
    how = ["--data", data, *HEAD, "--cache-dir", tmp_path / "cache"]
    assert "using cached features" not in run(*how, "--model-dir", tmp_path / "one")[0]
    assert "using cached features" in run(*how, "--model-dir", tmp_path / "other")[0]
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
    assert "the loss is not finite in epoch 1, at step 1; lower --learning-rate" in err
    assert contract.METRIC_LINE.format(name="train:loss", value="nan") in out


def test_features_that_are_no_numbers_end_the_training(data: Path, tmp_path: Path) -> None:
    how = ["--data", data, *HEAD, "--cache-dir", tmp_path / "cache", "--model-dir", tmp_path / "model"]
    run(*how)
    caches = [(path, np.load(path)) for path in (tmp_path / "cache").iterdir()]
    path, features = max(caches, key=lambda entry: len(entry[1]))  # there are more images to train on
    features[-1, -1] = np.nan
    np.save(path, features)
    _, err = run(*how, code=2)
    assert err.count("\n") == 1
    assert "the loss is not finite in epoch 1" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "neither --data nor --train and --validation is given; say where the images are"),
        (["--data", "nowhere"], "nowhere/train is not a folder; give one"),
        (["--batch_size", "0"], "--batch-size is 0; give 1 to 16384"),
        (["--architecture", "resnet51"], "torchvision has no classifier resnet51; name one like resnet50"),
        (["--weights", "IMAGENET1K_V7"], "torchvision has no weights IMAGENET1K_V7 for squeezenet1_1; use"),
        (["--weights", "missing.pth"], "--weights missing.pth is not a file; give one"),
        (["--precision", "fp16"], "--precision fp16 needs a GPU"),
        (["--device", "cuda"], "--device cuda: torch sees no GPU here; use cpu"),
        (["--device", "mps"], "--device mps is not supported; use auto, cpu, cuda or cuda:N"),
        (["--backend", "smddp"], "--backend smddp: its library is not installed; use nccl"),
        (["--backend", "nccl"], "--backend nccl joins GPUs, and this trains on cpu; use gloo"),
        (["--model-dir", "/dev/null/model"], "/dev/null is not writable; name another folder"),
        (["--dataset", "/"], "/ has no dataset.json; give the folder that prepare.py wrote"),
    ],
)
def test_a_user_error_is_one_line(arguments: list[str], message: str, data: Path) -> None:
    given = ["--data", data, *HEAD, *arguments] if arguments and arguments[0] != "--data" else arguments
    _, err = run(*given, code=2, CUDA_VISIBLE_DEVICES="")  # two of the mistakes are ones only without a GPU
    assert err == f"train.py: {err.removeprefix('train.py: ')}"
    assert message in err
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


READ_TENSORS = """
import json, sys
from smdebug.trials import create_trial
from smdebug.pytorch import modes
trial = create_trial(sys.argv[1])
(name,) = trial.tensor_names(collection="losses")
losses = {mode.name: [float(trial.tensor(name).value(step, mode=mode)) for step in trial.tensor(name).steps(mode=mode)]
          for mode in (modes.TRAIN, modes.EVAL)}
print(json.dumps(losses))
"""


def test_the_debuggers_hook_saves_the_mean_losses_of_training_and_of_validation(data: Path, tmp_path: Path) -> None:
    """Each epoch has one batch of all images, and one for validation, so that the losses are those of the history."""
    tensors, how = tmp_path / "tensors", (*WHOLE, "--epochs", "2", "--batch-size", "27", "--label-smoothing", "0")
    run("--data", data, *how, "--model-dir", tmp_path / "model", SMDEBUG_CONFIG_FILE_PATH=debugger(tmp_path))
    environ = environment(PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION="python")
    command = [sys.executable, "-W", "ignore", "-c", READ_TENSORS, str(tensors)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    losses = json.loads(done.stdout.splitlines()[-1])
    history = model_folder.read_history(tmp_path / "model")
    assert losses["TRAIN"] == pytest.approx([row["train:loss"] for row in history], rel=1e-5)
    assert losses["EVAL"] == pytest.approx([row["validation:loss"] for row in history], rel=1e-5)


def test_without_its_library_the_debugger_is_refused(data: Path, tmp_path: Path) -> None:
    code = "import sys; sys.modules['smdebug'] = None; import command, train; command.run(train.main)"
    process = start("--data", data, *WHOLE, code=code, SMDEBUG_CONFIG_FILE_PATH=debugger(tmp_path))
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "asks for the Debugger, but smdebug is not installed" in err


def test_compiling_a_head_logs_that_it_has_no_effect(data: Path, tmp_path: Path) -> None:
    out, _ = run("--data", data, *HEAD, "--compile", "--model-dir", tmp_path)
    assert out.count("--compile does nothing with --layers head") == 1


def test_where_torch_cannot_compile_it_is_one_line(data: Path, tmp_path: Path) -> None:
    """What it writes is C++, and this machine has no compiler for it."""
    place = {"CXX": "/nowhere/g++", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache")}
    _, err = run("--data", data, *WHOLE, "--compile", "--model-dir", tmp_path, code=2, **place)
    assert re.search(
        r"^train.py: torch cannot compile this network here \(.*\); leave out --compile$", err, re.MULTILINE
    )
    assert "Traceback" not in err


@pytest.mark.minutes
def test_a_compiled_network_learns_the_same(data: Path, tmp_path: Path) -> None:
    """Where this machine has none, it is the one line instead."""
    has_one = shutil.which(os.environ.get("CXX", "g++")) is not None
    few_layers = ("--architecture", "alexnet", "--image-size", "64")
    how = ["--data", data, *WHOLE, *few_layers, "--epochs", "1", "--batch-size", "27"]
    place = {"TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache")}
    _, err = run(*how, "--compile", "true", "--model-dir", tmp_path / "compiled", code=0 if has_one else 2, **place)
    assert has_one or "torch cannot compile this network here" in err
    if has_one:
        run(*how, "--model-dir", tmp_path / "plain")
        assert weights(tmp_path / "compiled").keys() == weights(tmp_path / "plain").keys()
        name = "validation:loss"  # of weights after one step, which leaves features out by chance
        assert metrics(tmp_path / "compiled")[name] == pytest.approx(metrics(tmp_path / "plain")[name], rel=0.2)


def test_bf16_learns_nearly_the_same(data: Path, tmp_path: Path) -> None:
    """In bf16, with colors last in memory; the saved file has full precision and the usual layout."""
    how = ["--data", data, *NORMALIZED, "--epochs", "1", "--batch-size", "27"]
    for name in ("fp32", "bf16"):
        run(*how, "--precision", name, "--model-dir", tmp_path / name)
    description = model_folder.read_description(tmp_path / "bf16")
    assert description.versions["precision"] == "bf16"
    assert all(value.dtype != torch.bfloat16 and value.is_contiguous() for value in weights(tmp_path / "bf16").values())
    full, half = metrics(tmp_path / "fp32"), metrics(tmp_path / "bf16")
    assert half["train:loss"] == pytest.approx(full["train:loss"], rel=0.05)
    assert half["train:loss"] != full["train:loss"]


def test_a_worker_that_is_killed_is_one_line(data: Path, tmp_path: Path) -> None:
    """As the system does where memory is short."""
    process = start("--data", data, *WHOLE, "--epochs", "500", "--workers", "1", "--model-dir", tmp_path)
    read_until(process, "epoch 1 of 500")
    psutil.Process(process.pid).children()[0].kill()
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert re.fullmatch(
        r"train.py: DataLoader worker .*, most likely because of too little memory.*; give fewer --workers, or 0\n", err
    )


def test_a_picture_that_no_worker_can_read_is_one_line_and_the_end(data: Path, tmp_path: Path) -> None:
    """What prepare.py wrote can be read; a disk may have spoilt it since."""
    broken = shutil.copytree(data, tmp_path / "data")
    drawn_pictures.described(broken / contract.DATASET)
    picture = next((broken / "train").rglob("*.jpg"))
    picture.write_bytes(picture.read_bytes()[:300])
    how = (*WHOLE, "--image-size", "32", "--workers", "2", "--model-dir", tmp_path / "model")
    _, err = run("--data", broken, *how, code=2)
    assert err.startswith(f"train.py: {picture} cannot be decoded: ")
    assert err.count("\n") == 1


def spoilt(data: Path, folder: Path, count: int) -> list[Path]:
    """Returns a copy of the images in which some of one class are truncated."""
    shutil.copytree(data, folder)
    found = sorted((folder / "train" / drawn_pictures.CLASSES[1]).glob("*.jpg"))[:count]
    for picture in found:
        picture.write_bytes(picture.read_bytes()[:300])
    return found


def test_originals_that_cannot_be_read_are_left_out_before_the_first_epoch(data: Path, tmp_path: Path) -> None:
    (picture,) = spoilt(data, tmp_path / "data", 1)
    how = (*WHOLE, "--epochs", "1")
    out, _ = run("--data", tmp_path / "data", *how, "--model-dir", tmp_path / "with")
    assert f"left out: {picture} cannot be decoded: " in out
    assert "1 of 42 pictures are left out because they cannot be read" in out
    picture.unlink()
    out, _ = run("--data", tmp_path / "data", *how, "--model-dir", tmp_path / "without")
    assert "left out" not in out
    assert equal(weights(tmp_path / "with"), weights(tmp_path / "without"))


def test_too_many_originals_that_cannot_be_read_end_the_training(data: Path, tmp_path: Path) -> None:
    first, *_ = spoilt(data, tmp_path / "data", 3)
    _, err = run("--data", tmp_path / "data", *WHOLE, "--model-dir", tmp_path / "model", code=2)
    assert f"train.py: 3 of 42 pictures cannot be read, more than 5%: {first} is the first of them" in err
    assert "Traceback" not in err


def test_a_class_of_which_no_original_can_be_read_ends_the_training(tmp_path: Path) -> None:
    for name, count in (("1.many", 30), ("2.one", 1)):
        drawn_pictures.draw_split(tmp_path / "data" / "train", count, (name,))
        drawn_pictures.draw_split(tmp_path / "data" / "valid", 3, (name,))
    (picture,) = (tmp_path / "data" / "train" / "2.one").iterdir()
    picture.write_bytes(b"no picture")
    _, err = run("--data", tmp_path / "data", *WHOLE, "--model-dir", tmp_path / "model", code=2)
    assert err == "train.py: no picture of 2.one to train on can be read; add others, or remove the class everywhere\n"


def test_waiting_for_a_batch_has_a_time_out(data: Path, tmp_path: Path) -> None:
    how = (*WHOLE, "--epochs", "500", "--workers", "1", "--wait-minutes", "0.02", "--model-dir", tmp_path)
    process = start("--data", data, *how)
    read_until(process, "epoch 1 of 500")
    for worker in psutil.Process(process.pid).children():
        worker.suspend()
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert err.startswith("train.py: no batch has come from the worker processes for 0.02 minutes; check the disk")
    assert err.count("\n") == 1


def test_a_too_long_temporary_folder_is_one_line(data: Path, tmp_path: Path) -> None:
    """The name of a socket has about a hundred characters; workers hand over pictures by one."""
    folder = tmp_path / ("long" * 25)
    folder.mkdir()
    _, err = run("--data", data, *WHOLE, "--workers", "1", "--model-dir", tmp_path, code=2, TMPDIR=str(folder))
    message = f"no socket can be opened in {folder} (AF_UNIX path too long); name another folder with TMPDIR, or give"
    assert message in err
    assert err.count("\n") == 1


def test_too_little_shared_memory_is_one_line(data: Path, tmp_path: Path) -> None:
    """Shared memory is a file to the system, and files may be no larger than this here."""
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536)); "
        "import command, train; command.run(train.main)"
    )
    how = (*WHOLE, "--workers", "1", "--batch-size", "27", "--model-dir", tmp_path)
    process = start("--data", data, *how, code=code)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert err.startswith("-c: a batch of 0.1 MB does not fit into shared memory (")
    assert err.endswith("or give the container more (docker: --shm-size)\n")
    assert err.count("\n") == 1
