"""A user's error is one line with cause and remedy, exit code 2, and the reason that SageMaker shows."""

from __future__ import annotations

import errno
import io
import resource
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import drawn_pictures
import pytest
import torch
from train_process import HEAD, WHOLE, environment

import atomic_files
import contract
import model_archive
import model_folder
from errors import ModelError, WriteError
from torch_errors import translate_torch_errors

ENTRYPOINTS = Path(contract.__file__).parent
LARGEST = 65_536
FULL_DISK = f"""
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({LARGEST}, {LARGEST}))
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""No file may become larger than that: what a full disk says, it says in the same place."""


def error_line(base: Path, script: str, *arguments: object, before: str = "") -> str:
    """Returns the error line of a script, and checks that SageMaker shows the same."""
    (base / "output").mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, *(["-c", before] if before else []), ENTRYPOINTS / script, *map(str, arguments)],
        env=environment(SAGEMAKER_BASE_DIR=str(base), PYTHONPATH=str(ENTRYPOINTS)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2, done.stderr[-2000:]
    assert done.stderr.startswith(f"{script}: ")
    assert done.stderr.count("\n") == 1
    message = done.stderr.removeprefix(f"{script}: ").removesuffix("\n")
    assert {(base / "output" / name).read_text(encoding="utf-8") for name in ("failure", "message")} == {message}
    return message


@pytest.mark.parametrize("script", [contract.PREPARE, contract.TRAIN, contract.EVALUATE])
def test_a_wrong_flag_is_one_line(script: str, tmp_path: Path) -> None:
    assert error_line(tmp_path, script, "--output-dir").endswith("expected one argument; --help lists the flags")


def test_an_invalid_number_is_one_line(tmp_path: Path) -> None:
    message = error_line(tmp_path, contract.PREPARE, "--source", "a", "--output-dir", "b", "--workers", "many")
    assert message == "argument --workers: invalid int value: 'many'; --help lists the flags"


@pytest.mark.parametrize(("network", "side"), [("vit_b_16", 100), ("alexnet", 32), ("maxvit_t", 64)])
def test_an_unsupported_size_is_reported_before_training(network: str, side: int, data: Path, tmp_path: Path) -> None:
    how = (*HEAD, "--data", data, "--architecture", network, "--image-size", side, "--model-dir", tmp_path / "model")
    message = error_line(tmp_path, contract.TRAIN, *how)
    assert message.startswith(f"{network} cannot take pictures of {side} pixels (")
    assert "train with another --image-size, such as 224" in message


def test_a_candidate_whose_size_its_network_cannot_take_is_one_line(tmp_path: Path) -> None:
    wrong = drawn_pictures.model(image_size=100, architecture="vit_b_16")
    model_folder.write(tmp_path / "model", drawn_pictures.network(drawn_pictures.model()), wrong, [])
    flags = evaluation_of(tmp_path / "model", tmp_path)
    assert error_line(tmp_path, contract.EVALUATE, *flags).startswith(
        "candidate best: vit_b_16 cannot take pictures of"
    )


def evaluation_of(model: Path, folder: Path) -> tuple[object, ...]:
    """Returns the flags to evaluate a model on one picture of each class."""
    flags = ("--test", drawn_pictures.draw_split(folder / "test", 1), "--dataset", folder / "dataset")
    drawn_pictures.described(folder / "dataset")
    return ("--candidate", f"best={model}", *flags, "--output-dir", folder / "out")


def test_a_full_disk_ends_training_in_one_line_and_leaves_the_model_before(data: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    model_folder.write(model, drawn_pictures.network(drawn_pictures.model()), drawn_pictures.model(), [])
    before = (model / model_folder.WEIGHTS_FILE).read_bytes()
    how = (*WHOLE, "--epochs", "1", "--data", data, "--model-dir", model)
    message = error_line(tmp_path, contract.TRAIN, *how, before=FULL_DISK)
    assert (
        message == f"{model} cannot be written to ([Errno 27] File too large); make room on its disk, or name another"
    )
    assert (model / model_folder.WEIGHTS_FILE).read_bytes() == before
    assert not list(model.glob("*.part"))


def test_a_full_disk_ends_evaluation_in_one_line_without_half_a_champion(tmp_path: Path) -> None:
    model_folder.write(tmp_path / "model", drawn_pictures.network(drawn_pictures.model()), drawn_pictures.model(), [])
    message = error_line(tmp_path, contract.EVALUATE, *evaluation_of(tmp_path / "model", tmp_path), before=FULL_DISK)
    champion = tmp_path / "out" / contract.CHAMPION
    assert message.startswith(f"{champion} cannot be written to ([Errno 27] File too large); make room")
    assert list(champion.iterdir()) == []
    assert not (tmp_path / "out" / contract.EVALUATION / contract.EVALUATION_FILE).exists()


@contextmanager
def full_disk() -> Iterator[None]:
    """Limits the size of files in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_not_reported_as_a_broken_archive(tmp_path: Path) -> None:
    member = tarfile.TarInfo("model.pth")
    member.size = 2 * LARGEST
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.addfile(member, io.BytesIO(bytes(member.size)))
    with full_disk(), pytest.raises(WriteError, match=r"cannot be unpacked in .* \(File too large\); make room there"):
        model_archive.unpack(tmp_path / "model.tar.gz", tmp_path / "work" / "best")


def no_room() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def torch_without_room() -> None:
    try:
        no_room()
    finally:
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 768 vs 662")


@pytest.mark.parametrize("failing", [no_room, torch_without_room])
def test_a_failed_write_keeps_the_previous_file(failing: Callable[[], None], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("before")
    with pytest.raises(WriteError, match="No space left on device"), atomic_files.open_atomically(tmp_path / "file"):
        failing()
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "before")]


def test_a_bug_while_writing_is_not_translated(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="a bug"), atomic_files.open_atomically(tmp_path / "file"):
        raise RuntimeError("a bug")
    assert list(tmp_path.iterdir()) == []


def test_too_little_memory_is_reported_with_a_remedy() -> None:
    message = r"this machine has too little memory \(.*\); lower --batch-size or the image"
    with pytest.raises(ModelError, match=message), translate_torch_errors():
        torch.empty(2**50)
    with pytest.raises(RuntimeError, match="a bug"), translate_torch_errors():
        raise RuntimeError("a bug")
