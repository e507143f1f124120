"""A folder becomes the same zip everywhere; the folder itself stays as it was."""

from __future__ import annotations

import hashlib
import io
import os
import unicodedata
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.data.errors import DataSetError
from pipeline.data.inspection import Inspection
from pipeline.data.packing import PicturesZip, member_names, pack, total_bytes

FILES = {"cat/1.png": b"one", "cat/2.png": b"two", "dog/1.png": b"three"}


def folder_of(files: dict[str, bytes], folder: Path) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def inspection(path: Path, names: tuple[str, ...] = tuple(FILES)) -> Inspection:
    return Inspection(path, {}, (), 8, 0, names, ())


def packed(path: Path, names: tuple[str, ...] = tuple(FILES)) -> PicturesZip:
    return pack(inspection(path, names), lambda _count: None)


def content(package: PicturesZip, piece: int = 7) -> bytes:
    with closing(package.open()) as stream:
        return b"".join(iter(lambda: stream.read(piece), b""))


def test_the_zip_has_the_pictures_below_one_folder(tmp_path: Path) -> None:
    package = packed(folder_of(FILES, tmp_path))
    with zipfile.ZipFile(io.BytesIO(content(package))) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            f"images/{name}": written for name, written in FILES.items()
        }
    assert package.size == len(content(package))
    assert package.name == f"{hashlib.sha256(content(package)).hexdigest()[:32]}.zip"


def test_its_name_depends_on_names_and_contents_only(tmp_path: Path) -> None:
    first = folder_of(FILES, tmp_path / "first")
    second = folder_of(dict(reversed(FILES.items())), tmp_path / "second")
    os.utime(second / "cat" / "1.png", (1, 1))
    (second / "cat" / "2.png").chmod(0o600)
    assert packed(first).sha256 == packed(second, tuple(reversed(FILES))).sha256
    (second / "cat" / "1.png").write_bytes(b"other")
    assert packed(first).sha256 != packed(second).sha256


def test_only_pictures_that_can_be_used_are_packed(tmp_path: Path) -> None:
    folder = folder_of({**FILES, "cat/film.mov": b"long"}, tmp_path)
    assert packed(folder).sha256 == packed(folder_of(FILES, tmp_path / "without")).sha256


def test_a_zip_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "pictures.zip"
    path.write_bytes(b"any bytes")
    assert content(packed(path)) == b"any bytes"
    assert packed(path).sha256 == hashlib.sha256(b"any bytes").hexdigest()


@pytest.mark.parametrize("piece", [1, 3, 1000, -1])
def test_it_can_be_read_in_pieces_of_any_size(piece: int, tmp_path: Path) -> None:
    package = packed(folder_of(FILES, tmp_path))
    assert hashlib.sha256(content(package, piece)).hexdigest() == package.sha256


def test_pictures_that_change_while_they_are_read_are_never_complete(tmp_path: Path) -> None:
    package = packed(folder_of(FILES, tmp_path))
    (tmp_path / "dog" / "1.png").write_bytes(b"3")
    with pytest.raises(DataSetError, match="have changed while they were read; run it again"):
        content(package)


def test_a_picture_that_has_gone_is_named(tmp_path: Path) -> None:
    package = packed(folder_of(FILES, tmp_path))
    (tmp_path / "cat" / "1.png").unlink()
    with pytest.raises(DataSetError, match=r"cat/1\.png cannot be read: No such file"):
        content(package)


def test_names_of_a_mac_and_of_other_systems_are_the_same() -> None:
    decomposed, composed = (unicodedata.normalize(form, "Käfer/ä.png") for form in ("NFD", "NFC"))
    assert list(member_names([decomposed])) == list(member_names([composed])) == [f"images/{composed}"]


def test_two_files_whose_names_differ_by_their_form_only_both_stay() -> None:
    names = [unicodedata.normalize(form, "a/é.png") for form in ("NFD", "NFC")]
    assert sorted(member_names(names).values()) == sorted(names)


def test_a_backslash_in_a_name_makes_no_folder() -> None:
    assert list(member_names(["a/b\\c.png"])) == ["images/a/b_c.png"]


def test_how_much_there_is_to_read_is_the_pictures_size(tmp_path: Path) -> None:
    assert total_bytes(inspection(folder_of(FILES, tmp_path))) == 11
