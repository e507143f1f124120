"""What inspect_source.py reports about folders and zips, and what it refuses, in a process of its own as it is used."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from image_trees import as_folder, as_zip, classes, encoded, jpeg, noise
from PIL import Image

import contract
import inspect_source
from errors import DownloadFailedError
from inspect_source import MAX_DECODED, inspect

SCRIPT = Path(contract.__file__).with_name("inspect_source.py")
FLAT = classes(("",))


def printed(source: Path) -> tuple[int, Any]:
    """The exit code and the JSON document of the script."""
    command = [sys.executable, str(SCRIPT), "--source", str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, json.loads(done.stdout)


def test_a_folder_of_classes_has_its_counts_and_the_splits_that_are_missing(tmp_path: Path) -> None:
    code, document = printed(as_folder(FLAT, tmp_path / "pictures"))
    assert code == 0
    assert document["counts"] == {"train": {"1.cat": 6, "2.dog": 6}}
    assert document["missing_splits"] == ["validation", "test"]
    assert (document["side"], document["gray_share"]) == (40, 0)
    assert document["pictures"] == sorted(FLAT)


def test_a_zip_is_reported_like_the_folder_that_it_was_made_of(tmp_path: Path) -> None:
    files = classes(("train/", "valid/", "test/"))
    folder, archive = as_folder(files, tmp_path / "pictures"), as_zip(files, tmp_path / "pictures.zip")
    of_folder, of_zip = (printed(source)[1] | {"path": ""} for source in (folder, archive))
    assert of_folder == of_zip
    assert of_folder["counts"]["test"] == {"1.cat": 6, "2.dog": 6}


@pytest.mark.parametrize(
    "content",
    [
        encoded(Image.new("CMYK", (50, 60), (10, 200, 30, 0))),
        encoded(Image.new("I;16", (50, 60), 30_000), "PNG"),
        encoded(Image.new("P", (50, 60)), "GIF"),
        encoded(noise(7), "WEBP"),
        encoded(Image.new("RGBA", (50, 60), (1, 2, 3, 4)), "PNG"),
    ],
    ids=["CMYK", "16 bits", "GIF", "WebP", "transparent"],
)
def test_whatever_pillow_reads_is_a_picture(content: bytes, tmp_path: Path) -> None:
    found = inspect(str(as_folder({**FLAT, "1.cat/other": content}, tmp_path)), "", tmp_path)
    assert found.counts["train"]["1.cat"] == 7


def test_gray_pictures_are_recognized(tmp_path: Path) -> None:
    gray = {name: encoded(noise(seed).convert("L"), "PNG") for seed, name in enumerate(FLAT)}
    assert inspect(str(as_folder(gray, tmp_path)), "", tmp_path).gray_share == 1


def test_a_few_broken_files_are_left_out_and_named(tmp_path: Path) -> None:
    files = {**classes(("",), each=20), "1.cat/broken.jpg": b"no picture", "1.cat/cut.jpg": jpeg(1)[:300]}
    found = inspect(str(as_folder(files, tmp_path)), "", tmp_path)
    assert found.counts["train"] == {"1.cat": 20, "2.dog": 20}
    assert [path for path, _ in found.drops] == ["1.cat/broken.jpg", "1.cat/cut.jpg"]
    assert "1.cat/broken.jpg" not in found.pictures


def test_what_systems_leave_behind_is_no_picture(tmp_path: Path) -> None:
    clutter = {".DS_Store": b"x", "1.cat/.DS_Store": b"x", "__MACOSX/1.cat/._0.jpg": b"x", "1.cat/Thumbs.db": b"x"}
    found = inspect(str(as_folder({**FLAT, **clutter}, tmp_path)), "", tmp_path)
    assert list(found.pictures) == sorted(FLAT)
    assert [path for path, _ in found.drops] == ["1.cat/Thumbs.db"]


def test_of_a_large_source_only_a_part_is_decoded(tmp_path: Path) -> None:
    one = jpeg(1)
    files = {f"{name}/{number}.jpg": one for name in "ab" for number in range(MAX_DECODED)}
    files["a/broken.jpg"] = b"no picture"
    found = inspect(str(as_zip(files, tmp_path / "large.zip")), "", tmp_path)
    assert sum(found.counts["train"].values()) >= 2 * MAX_DECODED


def _inner_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("1.cat/0.jpg", jpeg(0))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("files", "cause", "remedy"),
    [
        ({"notes/readme.txt": b"x", "b/c.txt": b"x"}, "no picture of b, notes", "add pictures"),
        ({"0.jpg": jpeg(0)}, "has no folder of pictures", "one folder per class"),
        ({"cat/0.jpg": jpeg(0)}, "has only one class (cat), and a classifier needs two", "add another"),
        ({**FLAT, "3.empty/": b""}, "no picture of 3.empty", "or remove the class"),
        ({**FLAT, "1.cat/b.jpg": b"x"}, "1 of 13 pictures cannot be used, more than 5%", "repair or remove them"),
        ({"pictures.zip": _inner_zip()}, "has no pictures, but pictures.zip", "unpack that, or name it"),
        ({"a/b.zip": _inner_zip()}, "has no pictures, but a/b.zip", "unpack that, or name it"),
    ],
    ids=[
        "no picture at all",
        "no classes",
        "one class",
        "an empty class",
        "many broken",
        "a zip in a zip",
        "a zip in a folder",
    ],
)
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_what_cannot_be_trained_on_is_one_cause_and_a_remedy(
    files: dict[str, bytes], cause: str, remedy: str, packed: bool, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    if packed:
        source = as_zip(files, tmp_path / "pictures-outside.zip")
    else:
        source = as_folder({name: content for name, content in files.items() if not name.endswith("/")}, folder)
        for name in (name for name in files if name.endswith("/")):
            (folder / name).mkdir(exist_ok=True)
    if packed or "pictures.zip" not in files:  # a folder with nothing but a zip is read as that zip
        code, document = printed(source)
        assert code == 2
        assert document["cause"].startswith(f"{source}: {cause}")
        assert remedy in document["remedy"]


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("missing", None, "does not exist"),
        ("cat.jpg", jpeg(0), "is one picture"),
        ("notes.zip", b"no zip", "is not a readable zip"),
    ],
)
def test_a_path_that_is_no_source_is_one_cause(name: str, content: bytes | None, cause: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    code, document = printed(tmp_path / name)
    assert code == 2
    assert cause in document["cause"]
    assert document["remedy"]


def test_links_are_followed(tmp_path: Path) -> None:
    elsewhere = as_folder(FLAT, tmp_path / "elsewhere")
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("1.cat", "2.dog"):
        (folder / name).symlink_to(elsewhere / name)
    (folder / "1.cat" / "circle").symlink_to(folder)
    assert inspect(str(folder), "", tmp_path).counts["train"] == {"1.cat": 6, "2.dog": 6}


def test_a_download_that_the_same_command_resumes_has_an_exit_code_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken_off(*_: object) -> None:
        raise DownloadFailedError("broke off", "try again later")

    monkeypatch.setattr(inspect_source, "fetch", broken_off)
    monkeypatch.setattr(sys, "argv", ["inspect_source.py", "--source", "https://host/a.zip"])
    with pytest.raises(SystemExit) as ended:
        inspect_source.main()
    assert ended.value.code == 75
    assert json.loads(capsys.readouterr().out) == {"cause": "broke off", "remedy": "try again later"}
