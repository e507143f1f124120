"""A zip is read without unpacking, and a malicious one is refused as a whole."""

from __future__ import annotations

import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from image_trees import as_zip, jpeg
from peak_memory import run_measured

from errors import DataError
from zip_reader import LIMITS, ZipReader


def test_its_members_are_read_by_name_in_one_order(tmp_path: Path) -> None:
    store = ZipReader(as_zip({"b/2.jpg": b"two", "a/1.jpg": b"one", "empty/": b""}, tmp_path / "images.zip"))
    assert store.names() == ("a/1.jpg", "b/2.jpg", "empty/")
    assert store.read("b/2.jpg") == b"two"
    store.close()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_usual_methods_of_packing_are_read(tmp_path: Path, method: int) -> None:
    path = tmp_path / "images.zip"
    content = b"one" * 1_000_000
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a/1.jpg", content)
    assert ZipReader(path).read("a/1.jpg") == content


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_that_expands_without_bound_is_refused(tmp_path: Path, method: int) -> None:
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a/1.jpg", b"one" * 100)
    with pytest.raises(DataError, match=r"is packed with the method \d+; pack it with deflate"):
        ZipReader(path)


def test_a_zip_made_on_windows_has_folders_too(tmp_path: Path) -> None:
    # zipfile itself turns its own system's separator only.
    path = as_zip({"train/cat/1.jpg": b"one"}, tmp_path / "images.zip")
    path.write_bytes(path.read_bytes().replace(b"train/cat/1.jpg", b"train\\cat\\1.jpg"))
    store = ZipReader(path)
    assert store.names() == ("train/cat/1.jpg",)
    assert store.read("train/cat/1.jpg") == b"one"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../escape.jpg", "leads out of its folder"),
        ("train/../../escape.jpg", "leads out of its folder"),
        ("train\\..\\..\\escape.jpg", "leads out of its folder"),
        ("/etc/passwd", "is an absolute path"),
        ("\\\\host\\share", "is an absolute path"),
        ("C:\\windows\\escape.jpg", "is an absolute path"),
        ("train/cat/a\nb.jpg", "has characters that are not allowed in file names"),
        ("__MACOSX/../../escape.jpg", "leads out of its folder"),
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(DataError, match=rf"^images.zip: .*{message}.*; "):
        ZipReader(as_zip({"train/cat/1.jpg": jpeg(1), name: b"harm"}, tmp_path / "images.zip"))
    assert [path.name for path in tmp_path.iterdir()] == ["images.zip"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w") as archive:
        member = zipfile.ZipInfo("train/cat/1.jpg")
        member.external_attr = (kind | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    with pytest.raises(DataError, match="is a link or a device; pack the files themselves"):
        ZipReader(path)


def test_a_member_behind_a_password_is_refused(tmp_path: Path) -> None:
    path = as_zip({"a/1.jpg": b"one"}, tmp_path / "images.zip")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="is encrypted; pack it without a password"):
        ZipReader(path)


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    path = as_zip({"a/1.jpg": b"one", "a/2.jpg": b"two"}, tmp_path / "images.zip")
    path.write_bytes(path.read_bytes().replace(b"a/2.jpg", b"a/1.jpg"))
    with pytest.raises(DataError, match=r"'a/1.jpg' is in the archive twice"):
        ZipReader(path)


def test_a_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train/cat/1.bmp", bytes(70 * 1024 * 1024))
    with pytest.raises(DataError, match=r"expands from \d+ to 73400320 bytes, which pictures do not"):
        ZipReader(path)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (replace(LIMITS, members=2), "has 3 members, more than 2; split it"),
        (replace(LIMITS, total_bytes=29), "expands to 30 bytes, more than 29; split it"),
        (replace(LIMITS, member_bytes=9), "expands to 10 bytes, more than 9; remove it"),
    ],
)
def test_members_and_bytes_are_limited(tmp_path: Path, limits: object, message: str) -> None:
    path = as_zip({f"a/{number}.jpg": b"0123456789" for number in range(3)}, tmp_path / "images.zip")
    ZipReader(path).close()
    with pytest.raises(DataError, match=message):
        ZipReader(path, limits)  # type: ignore[arg-type]


def test_a_member_that_understates_its_size_grows_no_further(tmp_path: Path) -> None:
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/1.jpg", bytes(1_000_000))
    content = path.read_bytes().replace((1_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"cannot be read from the archive: .*; pack it again"):
        ZipReader(path).read("a/1.jpg")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_member_of_a_gigabyte_that_says_it_is_small_costs_no_memory(tmp_path: Path, method: int) -> None:
    path, size = tmp_path / "images.zip", 1 << 30
    with zipfile.ZipFile(path, "w", method) as archive, archive.open("a/1.jpg", "w") as member:
        for _ in range(size >> 20):
            member.write(bytes(1 << 20))
    path.write_bytes(path.read_bytes().replace(size.to_bytes(4, "little"), (10).to_bytes(4, "little")))
    script = "import zip_reader\ntry: zip_reader.ZipReader(pathlib.Path(sys.argv[1])).read('a/1.jpg')\n"
    message, megabytes = run_measured(script + "except zip_reader.DataError as error: print(error)", path)
    assert "is packed with the method" in message or "cannot be read from the archive: Bad CRC" in message
    assert megabytes < 50


def test_a_damaged_member_harms_itself_alone(tmp_path: Path) -> None:
    path = as_zip({"a/1.jpg": b"the first", "a/2.jpg": b"the second"}, tmp_path / "images.zip")
    path.write_bytes(path.read_bytes().replace(b"the first", b"the fIrst"))
    store = ZipReader(path)
    with pytest.raises(DataError, match="cannot be read from the archive"):
        store.read("a/1.jpg")
    assert store.read("a/2.jpg") == b"the second"


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04 and no more"])
def test_other_content_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "images.zip"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"images.zip is not a readable zip: .*; fetch or pack it again"):
        ZipReader(path)


def test_a_truncated_zip_is_refused(tmp_path: Path) -> None:
    path = as_zip({f"a/{number}.jpg": jpeg(number) for number in range(4)}, tmp_path / "images.zip")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match="is not a readable zip"):
        ZipReader(path)
