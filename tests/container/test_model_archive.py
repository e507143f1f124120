"""Archives: what training wrote is unpacked unchanged, and what an attacker wrote is refused."""

from __future__ import annotations

import contextlib
import gzip
import io
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import model_archive
from errors import DataError

Member = tuple[tarfile.TarInfo, bytes]


def plain(name: str, content: bytes = b"x") -> Member:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member, content


def special(name: str, kind: bytes, target: str = "") -> Member:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member, b""


def archive(path: Path, *members: Member) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member, content in members:
            tar.addfile(member, io.BytesIO(content))
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_packed_folder_is_unpacked_unchanged(tmp_path: Path) -> None:
    (tmp_path / "model" / "code").mkdir(parents=True)
    (tmp_path / "model" / "model.pth").write_bytes(bytes(range(256)) * 9000)
    (tmp_path / "model" / "code" / "inference.py").write_text("pass")
    model_archive.pack(tmp_path / "model", tmp_path / "out" / "model.tar.gz")
    model_archive.unpack(tmp_path / "out" / "model.tar.gz", tmp_path / "again")
    assert files(tmp_path / "again") == files(tmp_path / "model")


def test_the_same_content_packs_into_the_same_bytes(tmp_path: Path) -> None:
    for name, order in (("one", "ab"), ("other", "ba")):
        (tmp_path / name).mkdir()
        for letter in order:
            (tmp_path / name / letter).write_text(letter)
        model_archive.pack(tmp_path / name, tmp_path / f"{name}.tar.gz")
    (tmp_path / "one" / "a").touch()
    (tmp_path / "one" / "a").chmod(0o600)
    model_archive.pack(tmp_path / "one", tmp_path / "later.tar.gz")
    packed = {(tmp_path / f"{name}.tar.gz").read_bytes() for name in ("one", "other", "later")}
    assert len(packed) == 1


def test_an_archive_as_sagemaker_makes_it_is_taken(tmp_path: Path) -> None:
    made = archive(tmp_path / "a", special(".", tarfile.DIRTYPE), special("./code", tarfile.DIRTYPE), plain("./code/x"))
    model_archive.unpack(made, tmp_path / "out")
    assert files(tmp_path / "out") == {"code/x": b"x"}


def test_modes_and_owners_are_not_taken_over(tmp_path: Path) -> None:
    member, content = plain("tool")
    member.mode, member.uid = 0o4777, 0
    model_archive.unpack(archive(tmp_path / "a", (member, content)), tmp_path / "out")
    assert (tmp_path / "out" / "tool").stat().st_mode & 0o7111 == 0


def sparse(name: str) -> Member:
    member, content = plain(name)
    member.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.size": "1000000", "GNU.sparse.map": "0,1"}
    return member, content


HOSTILE = {
    "up": (plain("../outside"), "outside of its folder"),
    "up in the middle": (plain("code/../../outside"), "outside of its folder"),
    "absolute": (plain("/tmp/outside"), "outside of its folder"),
    "backslash": (plain("..\\outside"), "outside of its folder"),
    "drive": (plain("C:outside"), "outside of its folder"),
    "link": (special("model.pth", tarfile.SYMTYPE, "/etc/passwd"), "not a plain file"),
    "hard link": (special("model.pth", tarfile.LNKTYPE, "../../secret"), "not a plain file"),
    "device": (special("disk", tarfile.BLKTYPE), "not a plain file"),
    "terminal": (special("tty", tarfile.CHRTYPE), "not a plain file"),
    "pipe": (special("pipe", tarfile.FIFOTYPE), "not a plain file"),
    "sparse": (sparse("holes"), "not a plain file"),
    "long name": (plain("x" * 5000), "File name too long"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_member_other_than_a_plain_file_in_the_folder_is_refused(tmp_path: Path, kind: str) -> None:
    member, reason = HOSTILE[kind]
    with pytest.raises(DataError, match=reason):
        model_archive.unpack(archive(tmp_path / "a.tar.gz", plain("first"), member), tmp_path / "in" / "out")
    assert files(tmp_path).keys() == {"a.tar.gz", "in/out/first"}


def test_a_link_and_a_file_through_it_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    made = archive(tmp_path / "a", special("code", tarfile.SYMTYPE, str(tmp_path / "target")), plain("code/x"))
    with pytest.raises(DataError, match="not a plain file"):
        model_archive.unpack(made, tmp_path / "out")
    assert not list((tmp_path / "target").iterdir())


def test_a_member_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="more than once"):
        model_archive.unpack(archive(tmp_path / "a", plain("x", b"good"), plain("./x", b"evil")), tmp_path / "out")
    assert (tmp_path / "out" / "x").read_bytes() == b"good"


FEW = model_archive.MAX_ENTRIES // 10


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([f"{number}" for number in range(model_archive.MAX_ENTRIES + 1)], "files and folders"),
        ([f"{number}/a/b/c/d/e/f/g/h/i/j" for number in range(FEW)], "files and folders"),
        (["/".join("a" * (model_archive.MAX_DEPTH + 1))], "in more than 16 folders"),
        (["/".join("a" * 100_000)], "in more than 16 folders"),
    ],
)
def test_too_many_files_or_folders_are_refused(tmp_path: Path, names: list[str], message: str) -> None:
    made = archive(tmp_path / "a", *(plain(name, b"") for name in names))
    with pytest.raises(DataError, match=message):
        model_archive.unpack(made, tmp_path / "out")
    assert sum(1 for _ in tmp_path.rglob("*")) < 2 * model_archive.MAX_ENTRIES


def bomb(path: Path) -> None:
    member = tarfile.TarInfo("zeros")
    member.size = 300 * 1024**2
    with gzip.open(path, "wb") as file:
        file.write(member.tobuf())
        for _ in range(300):
            file.write(bytes(1024**2))


def many_layers_of_headers(path: Path) -> None:
    layer = tarfile.TarInfo.create_pax_global_header({"comment": "x"})
    path.write_bytes(gzip.compress(layer * 5000 + tarfile.TarInfo("x").tobuf()))


def giant_header(path: Path) -> None:
    member = tarfile.TarInfo("././@PaxHeader")
    member.type, member.size = tarfile.XHDTYPE, 2**40
    path.write_bytes(gzip.compress(member.tobuf(tarfile.GNU_FORMAT) + bytes(1024)))


def negative_size(path: Path) -> None:
    member = tarfile.TarInfo("x")
    member.size = -4096
    path.write_bytes(gzip.compress(member.tobuf(tarfile.GNU_FORMAT) + bytes(4096)))


def cut_short(path: Path) -> None:
    archive(path, plain("x", bytes(range(256)) * 4000))
    path.write_bytes(path.read_bytes()[:-600])


def altered(path: Path) -> None:
    archive(path, plain("x", bytes(range(256)) * 4000))
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)


def ends_within(path: Path) -> None:
    member = tarfile.TarInfo("x")
    member.size = 100_000
    path.write_bytes(gzip.compress(member.tobuf() + bytes(5000)))


def nonsense(path: Path) -> None:
    path.write_bytes(b"no archive at all")


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    "made",
    [bomb, many_layers_of_headers, giant_header, negative_size, cut_short, altered, ends_within, nonsense, empty],
)
def test_an_archive_that_is_broken_or_built_to_break_is_refused(tmp_path: Path, made: Callable[[Path], None]) -> None:
    made(tmp_path / "model.tar.gz")
    with pytest.raises(DataError, match=r"model\.tar\.gz .*; "):
        model_archive.unpack(tmp_path / "model.tar.gz", tmp_path / "out")
    assert sum(map(len, files(tmp_path / "out").values())) < 128 * 1024**2


@st.composite
def altered_headers(draw: st.DrawFn) -> bytes:
    """Returns an archive with some bytes of a header overwritten and the checksum corrected."""
    header = bytearray(tarfile.TarInfo("name").tobuf())
    for start, length in draw(st.lists(st.sampled_from([(0, 100), (100, 8), (124, 12), (156, 1), (345, 155)]))):
        new = draw(st.binary(min_size=1, max_size=length))
        header[start : start + len(new)] = new
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + draw(st.binary(max_size=2000)) + bytes(1024)


@given(altered_headers())
def test_no_header_can_write_outside_of_the_folder(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "a").write_bytes(gzip.compress(content))
        with contextlib.suppress(DataError):  # most are refused, which is as good
            model_archive.unpack(folder / "a", folder / "out")
        assert {path.name for path in folder.iterdir()} == {"a", "out"}
        assert not any(path.is_symlink() or not (path.is_file() or path.is_dir()) for path in folder.rglob("*"))
