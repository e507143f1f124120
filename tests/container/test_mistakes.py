"""What a user can mend is one line with cause and remedy, exit code 2, and the reason that SageMaker shows."""

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

import drawn
import pytest
import torch
from trained import HEAD, WHOLE, environment

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


def mistake(base: Path, script: str, *arguments: object, before: str = "") -> str:
    """What a script says that ends with a mistake, and SageMaker shows."""
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
    assert mistake(tmp_path, script, "--output-dir").endswith("expected one argument; --help lists the flags")


def test_a_number_that_is_none_is_one_line(tmp_path: Path) -> None:
    message = mistake(tmp_path, contract.PREPARE, "--source", "a", "--output-dir", "b", "--workers", "many")
    assert message == "argument --workers: invalid int value: 'many'; --help lists the flags"


@pytest.mark.parametrize(("network", "side"), [("vit_b_16", 100), ("alexnet", 32), ("maxvit_t", 64)])
def test_a_size_that_the_network_cannot_take_is_told_before_training(
    network: str, side: int, data: Path, tmp_path: Path
) -> None:
    how = (*HEAD, "--data", data, "--architecture", network, "--image-size", side, "--model-dir", tmp_path / "model")
    message = mistake(tmp_path, contract.TRAIN, *how)
    assert message.startswith(f"{network} cannot take pictures of {side} pixels (")
    assert "train with another --image-size, such as 224" in message


def test_a_candidate_whose_size_its_network_cannot_take_is_one_line(tmp_path: Path) -> None:
    wrong = drawn.model(image_size=100, architecture="vit_b_16")
    model_folder.write(tmp_path / "model", drawn.network(drawn.model()), wrong, [])
    places = evaluation_of(tmp_path / "model", tmp_path)
    assert mistake(tmp_path, contract.EVALUATE, *places).startswith("candidate best: vit_b_16 cannot take pictures of")


def evaluation_of(model: Path, folder: Path) -> tuple[object, ...]:
    """The flags with which a model is evaluated on a picture of each class."""
    places = ("--test", drawn.draw_split(folder / "test", 1), "--dataset", folder / "dataset")
    drawn.described(folder / "dataset")
    return ("--candidate", f"best={model}", *places, "--output-dir", folder / "out")


def test_a_full_disk_ends_training_in_one_line_and_leaves_the_model_before(data: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    model_folder.write(model, drawn.network(drawn.model()), drawn.model(), [])
    before = (model / model_folder.WEIGHTS_FILE).read_bytes()
    how = (*WHOLE, "--epochs", "1", "--data", data, "--model-dir", model)
    message = mistake(tmp_path, contract.TRAIN, *how, before=FULL_DISK)
    assert (
        message == f"{model} cannot be written to ([Errno 27] File too large); make room on its disk, or name another"
    )
    assert (model / model_folder.WEIGHTS_FILE).read_bytes() == before
    assert not list(model.glob("*.part"))


def test_a_full_disk_ends_evaluation_in_one_line_without_half_a_champion(tmp_path: Path) -> None:
    model_folder.write(tmp_path / "model", drawn.network(drawn.model()), drawn.model(), [])
    message = mistake(tmp_path, contract.EVALUATE, *evaluation_of(tmp_path / "model", tmp_path), before=FULL_DISK)
    champion = tmp_path / "out" / contract.CHAMPION
    assert message.startswith(f"{champion} cannot be written to ([Errno 27] File too large); make room")
    assert list(champion.iterdir()) == []
    assert not (tmp_path / "out" / contract.EVALUATION / contract.EVALUATION_FILE).exists()


@contextmanager
def full_disk() -> Iterator[None]:
    """Here, too, no file becomes larger."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_an_archive_that_the_disk_has_no_room_for_is_not_to_blame(tmp_path: Path) -> None:
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
def test_a_file_that_could_not_become_whole_leaves_the_one_before(failing: Callable[[], None], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("before")
    with pytest.raises(WriteError, match="No space left on device"), atomic_files.open_atomically(tmp_path / "file"):
        failing()
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "before")]


def test_a_bug_while_writing_stays_a_bug(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="a bug"), atomic_files.open_atomically(tmp_path / "file"):
        raise RuntimeError("a bug")
    assert list(tmp_path.iterdir()) == []


def test_memory_that_is_not_there_is_told_with_its_remedy() -> None:
    message = r"this machine has too little memory \(.*\); lower --batch-size or the image"
    with pytest.raises(ModelError, match=message), translate_torch_errors():
        torch.empty(2**50)
    with pytest.raises(RuntimeError, match="a bug"), translate_torch_errors():
        raise RuntimeError("a bug")
