"""The account's key and the folder that it is in: for their user only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pedigree.localaws.kernel import state_folder
from pedigree.localaws.kernel.access_key import AccessKeyError, find_key, folder_key, key_path
from pedigree.localaws.kernel.state_folder import StateFolderError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_has_one_key_which_only_its_user_reads(tmp_path: Path) -> None:
    assert find_key(tmp_path) is None
    key = folder_key(tmp_path)
    assert (folder_key(tmp_path), find_key(tmp_path)) == (key, key)
    assert mode(key_path(tmp_path)) == 0o600
    assert (len(key.id), len(key.secret), key.secret in repr(key)) == (20, 40, False)


def test_keys_are_made_at_random(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(20)]
    for folder in folders:
        folder.mkdir()
    assert len({folder_key(folder).secret for folder in folders} | {folder_key(folder).id for folder in folders}) == 40


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"AccessKeyId": "x"}', "\x00"])
def test_a_damaged_key_is_reported(tmp_path: Path, content: str) -> None:
    key_path(tmp_path).write_text(content)
    with pytest.raises(AccessKeyError, match="has no access key; delete the file"):
        folder_key(tmp_path)


def test_a_folder_is_closed_from_the_outermost_inwards(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "file").write_text("x")
    (folder / "link").symlink_to(tmp_path)
    outside = mode(tmp_path)
    for path, given in ((folder, 0o777), (folder / "inner", 0o755), (folder / "inner" / "file", 0o664)):
        path.chmod(given)
    state_folder.prepare(folder)
    assert [mode(path) for path in (folder, folder / "inner", folder / "inner" / "file")] == [0o700, 0o700, 0o600]
    assert mode(tmp_path) == outside


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "state"):
        with pytest.raises(StateFolderError, match=r"cannot be used: .+; choose another with --folder"):
            state_folder.prepare(folder)


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: user)
    with pytest.raises(StateFolderError, match="belongs to another user; choose another folder"):
        state_folder.prepare(tmp_path)
