"""`pedigree run --data` refuses what cannot be trained on in one line, before it starts anything."""

from __future__ import annotations

import io
import subprocess
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from pipeline.commands import own_data
from pipeline.data.errors import BrokenDownloadError, DataSetError
from pipeline.data.inspection import Inspection
from tests.support.cli import PEDIGREE, ROOT, environment


def picture(number: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 30), (number % 256, 7 * number % 256, 100)).save(buffer, "PNG")
    return buffer.getvalue()


def folder_of(files: dict[str, bytes], folder: Path) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def classes(each: int = 8, names: tuple[str, ...] = ("cat", "dog")) -> dict[str, bytes]:
    return {
        f"{name}/{number}.png": picture(100 * place + number)
        for place, name in enumerate(names)
        for number in range(each)
    }


def run(where: Path | str, local: Path) -> subprocess.CompletedProcess[str]:
    arguments = ["run", "--folder", str(local), "--container", str(ROOT), "--data", str(where)]
    return subprocess.run(
        [*PEDIGREE, *arguments], cwd=ROOT, env=environment(PYTHONPATH=str(ROOT)), capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("files", "line"),
    [
        (classes(3), ": too few to train on, 3 of cat, 3 of dog; give each class 7 or more, or leave it out"),
        (classes(names=("cat",)), ": has only one class (cat), and a classifier needs two; add another"),
        ({**classes(), "dog/x.png": b"x"}, ": 1 of 17 pictures cannot be used, more than 5%: dog/x.png is not a"),
        ({"cat/x.txt": b"x", "dog/x.txt": b"x"}, ": no picture of cat, dog (cat/x.txt does not have the name"),
        ({}, " does not exist; give a folder, a zip, or an address with https:// or s3://"),
    ],
    ids=["three pictures a class", "one class", "broken files", "no picture", "no such path"],
)
def test_what_cannot_be_trained_on_is_one_line_and_starts_nothing(
    files: dict[str, bytes], line: str, tmp_path: Path
) -> None:
    folder = folder_of(files, tmp_path / "pictures")
    done = run(folder, tmp_path / "aws")
    assert done.returncode == 2
    assert done.stderr.startswith(f"pedigree: {folder}{line}"), done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "aws").exists()


@pytest.mark.parametrize("where", ["http://host/pictures.zip", "ftp://host/pictures.zip"])
def test_an_address_that_anyone_could_change_is_refused(where: str, tmp_path: Path) -> None:
    done = run(where, tmp_path / "aws")
    assert done.returncode == 2
    assert done.stderr == f"pedigree: {where} cannot be used; name a folder, a zip, an https:// or an s3:// address\n"


def test_a_folder_is_left_as_it_was(tmp_path: Path) -> None:
    folder = folder_of(classes(), tmp_path / "pictures")
    before = sorted(tmp_path.rglob("*"))
    with own_data.inspected(str(folder), tmp_path / "aws") as inspection:
        own_data.packed(inspection)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_tilde_is_the_user_s_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder_of(classes(), tmp_path / "pictures")
    monkeypatch.setenv("HOME", str(tmp_path))
    with own_data.inspected("~/pictures", tmp_path) as inspection:
        assert inspection.classes == {"cat": 8, "dog": 8}


def test_files_that_are_left_out_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of({**classes(), "cat/film.mov": b"x"}, tmp_path / "pictures")
    with own_data.inspected(str(folder), tmp_path):
        assert capsys.readouterr().err == "left out: cat/film.mov does not have the name of a picture (.mov)\n"


def test_the_settings_are_written_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts = {"train": {"cat": 50, "dog": 50}}
    inspection = Inspection(tmp_path, counts, ("validation", "test"), 200, 0.0, ("cat/1.png",), ())
    path = own_data.write_settings(inspection, "s3://bucket/data/1.zip", tmp_path)
    assert 'data.source = "s3://bucket/data/1.zip"' in path.read_text(encoding="utf-8")
    said = capsys.readouterr().out
    assert "100 pictures in 2 classes" in said
    assert f"settings: {path}" in said


def test_a_download_is_removed_unless_it_broke_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_off(_where: str, folder: Path) -> Inspection:
        (folder / "source.json").write_text("{}")
        raise BrokenDownloadError("broke off")

    def refused(_where: str, folder: Path) -> Inspection:
        with zipfile.ZipFile(folder / "source.zip", "w"):
            pass
        raise DataSetError("refused")

    def interrupted(_where: str, folder: Path) -> Inspection:
        raise KeyboardInterrupt

    for inspect, remaining in ((refused, 0), (broken_off, 1), (refused, 0), (interrupted, 1)):
        monkeypatch.setattr("pipeline.data.inspection.inspect", inspect)
        with (
            pytest.raises((DataSetError, KeyboardInterrupt)),
            own_data.inspected("https://host/a.zip", tmp_path / "aws"),
        ):
            pass
        assert len(list(tmp_path.iterdir())) == remaining
