"""Archives that anybody may have made are read within limits, whatever their headers say."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pedigree.archives import (
    ArchiveError,
    ArchiveLimits,
    ArchiveTooLargeError,
    check_zip,
    read_only_entry,
    tar_files,
    unpack_tar,
    unpack_zip,
)

LIMITS = ArchiveLimits(100_000_000, entries=1000, depth=8)
FEW = ArchiveLimits(100, entries=4, depth=3)


def packed(contents: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return io.BytesIO(buffer.getvalue())


def tarred(*members: tuple[str, bytes, str], mode: str = "w:gz") -> io.BytesIO:
    """A tar of files, or of links where a member has a target."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content, target in members:
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            if target:
                member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member, io.BytesIO(content))
    return io.BytesIO(buffer.getvalue())


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_zip_is_unpacked_with_its_permissions(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        script = zipfile.ZipInfo("bin/run")
        script.external_attr = 0o755 << 16
        archive.writestr(script, b"run")
        archive.writestr("empty/", b"")
    check_zip(buffer, LIMITS)
    unpack_zip(buffer, tmp_path, LIMITS)
    assert files(tmp_path) == {"bin/run": b"run"}
    assert (tmp_path / "bin/run").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "empty").is_dir()


@pytest.mark.parametrize("mode", ["w:gz", "w"])
def test_a_tar_is_unpacked_with_links_within_it(tmp_path: Path, mode: str) -> None:
    made = tarred(("./a/b", b"b", ""), ("./a/link", b"", "b"), ("./last", b"", "a/b"), ("./code", b"x", ""), mode=mode)
    assert unpack_tar(made, tmp_path, LIMITS) == 4
    assert files(tmp_path) == {"a/b": b"b", "a/link": b"b", "last": b"b", "code": b"x"}


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (packed({"../f": b""}), "outside of its folder"),
        (packed({"/f": b""}), "outside of its folder"),
        (packed({"f": b"x"}, zipfile.ZIP_BZIP2), "is not packed with deflate"),
        (packed({"f": b"x"}, zipfile.ZIP_LZMA), "is not packed with deflate"),
        (packed({"f": b"x", "f/g": b"x"}), "two entries in one place"),
        (packed({"f/g": b"x", "f": b"x"}), "two entries in one place"),
        (packed({"x" * 300: b"x"}), "cannot be unpacked"),
        (packed({"f": bytes(101)}), "expands to more than 100 bytes"),
        (packed({f"{number}": b"" for number in range(5)}), "more than 4 files and folders"),
        (packed({"a/b/c/d": b""}), "more than 3 folders"),
        (io.BytesIO(b""), "cannot be read as a zip"),
        (io.BytesIO(b"PK\x03\x04 and no more"), "cannot be read as a zip"),
    ],
)
def test_a_hostile_zip_is_refused(tmp_path: Path, made: io.BytesIO, words: str) -> None:
    with pytest.raises(ArchiveError, match=words):
        unpack_zip(made, tmp_path / "in" / "out", FEW)
    assert {path.name for path in tmp_path.iterdir()} <= {"in"}


def test_a_damaged_zip_is_refused(tmp_path: Path) -> None:
    content = bytearray(packed({"f": b"a text that is long enough " * 50}).getvalue())
    for position in range(31, len(content) - 60):
        damaged = bytearray(content)
        damaged[position] ^= 0x55
        with contextlib.suppress(ArchiveError):  # some bytes are of no importance, and no other error may come
            check_zip(io.BytesIO(bytes(damaged)), LIMITS)
    content[40] ^= 0x55
    with pytest.raises(ArchiveError, match="cannot be read as a zip"):
        unpack_zip(io.BytesIO(bytes(content)), tmp_path, LIMITS)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (tarred(("../f", b"", "")), "outside of its folder"),
        (tarred(("/f", b"", "")), "outside of its folder"),
        (tarred(("f", b"", "/etc/passwd")), "a link that leads elsewhere"),
        (tarred(("f", b"", "../f")), "a link that leads elsewhere"),
        (tarred(("a/f", b"", "b/../../../f")), "a link that leads elsewhere"),
        (tarred(("a", b"", "b"), ("a/f", b"", "../f")), "two entries in one place"),
        (tarred(("f", b"x", ""), ("f", b"y", "")), "two entries in one place"),
        (tarred(("f", bytes(200), "")), "expands to more than"),
        (tarred(("a/b/c/d", b"", "")), "more than 3 folders"),
        (io.BytesIO(b"BZh9 is not read"), "cannot be read as a tar"),
        (io.BytesIO(gzip.compress(b"x" * 600)), "cannot be read as a tar"),
        (io.BytesIO(tarred(("f", b"x" * 20, "")).getvalue()[:-9]), "cannot be read as a tar"),
    ],
)
def test_a_hostile_tar_is_refused(tmp_path: Path, made: io.BytesIO, words: str) -> None:
    limits = ArchiveLimits(11_000 if "expands" not in words else 600, entries=8, depth=3)
    with pytest.raises(ArchiveError, match=words):
        unpack_tar(made, tmp_path / "in" / "out", limits)
    assert {path.name for path in tmp_path.iterdir()} <= {"in"}


def test_folders_that_names_imply_are_counted(tmp_path: Path) -> None:
    made = tarred(*((f"{number}/a/b/c/d/e/f", b"", "") for number in range(500)))
    assert len(made.getvalue()) < 20_000
    with pytest.raises(ArchiveTooLargeError, match="more than 1000 files and folders"):
        unpack_tar(made, tmp_path, LIMITS)
    assert sum(1 for _ in tmp_path.rglob("*")) <= LIMITS.entries


NAMES = st.lists(st.sampled_from(("a", "b", "..", ".", "c/d", "/", "e\\f")), min_size=1, max_size=4).map("/".join)


@given(st.lists(st.tuples(NAMES, st.binary(max_size=9), st.just("") | NAMES), max_size=5))
@example([("a", b"", "."), ("a/b", b"x", "")])
def test_no_archive_writes_outside_of_its_folder(members: list[tuple[str, bytes, str]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        with contextlib.suppress(ArchiveError):  # most are refused, which is as good
            unpack_tar(tarred(*members), folder / "in" / "out", LIMITS)
        assert {path.name for path in folder.iterdir()} <= {"in"}
        assert {path.name for path in folder.glob("in/*")} <= {"out"}
        inside = folder / "in" / "out"
        assert all(Path(os.path.realpath(path)).is_relative_to(inside) for path in inside.rglob("*"))


def test_only_one_entry_is_read_of_a_zip_with_one() -> None:
    assert read_only_entry(packed({"path": b"p"}), "path", LIMITS) == b"p"
    assert read_only_entry(packed({"path": b"p", "other": b""}), "path", LIMITS) is None
    with pytest.raises(ArchiveTooLargeError):
        read_only_entry(packed({"path": bytes(1_000_000)}), "path", ArchiveLimits(8192))


def test_files_of_a_tar_are_read_by_their_suffix() -> None:
    made = tarred(("./a.py", b"a", ""), ("b.py", bytes(50), ""), ("c.txt", b"c", ""), ("d.py", b"", "a.py"))
    assert list(tar_files(made, LIMITS, ".py", 10)) == [("a.py", b"a")]


_SCRIPT = """
import sys, time
from pathlib import Path
from pedigree import archives
from tests.support.peak_memory import peak_megabytes
before, started = peak_megabytes(), time.monotonic()
for name in ("check_zip", "unpack_zip", "unpack_tar"):
    more = () if name == "check_zip" else (Path(sys.argv[2]) / name,)
    try:
        with open(sys.argv[1], "rb") as file:
            getattr(archives, name)(file, *more, archives.ArchiveLimits(50_000_000))
    except archives.ArchiveError:
        pass
print(peak_megabytes() - before, time.monotonic() - started)
"""


@pytest.mark.parametrize("kind", ["deflated", "bzip2", "tar"])
def test_a_bomb_costs_neither_memory_nor_time(tmp_path: Path, kind: str) -> None:
    """A gigabyte of zeros in a file that says it is small."""
    path, size = tmp_path / "bomb", 1 << 30
    if kind == "tar":
        member = tarfile.TarInfo("zeros")
        member.size = size
        with gzip.open(path, "wb", compresslevel=1) as file:
            file.write(member.tobuf())
            for _ in range(size >> 20):
                file.write(bytes(1 << 20))
    else:
        method = {"deflated": zipfile.ZIP_DEFLATED, "bzip2": zipfile.ZIP_BZIP2}[kind]
        with zipfile.ZipFile(path, "w", method, compresslevel=1) as archive, archive.open("f.py", "w") as entry:
            for _ in range(size >> 20):
                entry.write(bytes(1 << 20))
        path.write_bytes(path.read_bytes().replace(size.to_bytes(4, "little"), (10).to_bytes(4, "little")))
    started = time.monotonic()
    words = [sys.executable, "-c", _SCRIPT, str(path), str(tmp_path / "out")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    megabytes, seconds = done.stdout.split()
    assert int(megabytes) < 30
    assert float(seconds) < 10
    assert time.monotonic() - started < 60
    assert sum(file.stat().st_size for file in (tmp_path / "out").rglob("*") if file.is_file()) <= 60_000_000
