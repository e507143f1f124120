"""Cached features: complete or continued, never mixed up, and limited to their share of the disk."""

from __future__ import annotations

import os
import re
import signal
import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polling import until
from train_process import HEAD, PATIENCE, Process, equal, launcher_environments, read_until, run, start, weights

import cache_folder
import contract
import options
from feature_cache import CachedFeatures, partial_path

FEATURES = np.arange(1, 41, dtype=np.float32).reshape(10, 4)
HEADER = 128


def never() -> bool:
    return False


def grown(path: Path, rows: int, before: int = 0) -> None:
    """Writes features of which only some exist when the process ends."""
    with CachedFeatures(path).computing(True, 0, never) as part:
        part.open_at(10, 4, before)
        part.add(FEATURES[before:rows])


def test_features_are_kept_when_all_are_there(tmp_path: Path) -> None:
    cached = CachedFeatures(tmp_path / "some.npy")
    with cached.computing(True, 0, never) as part:
        part.open_at(10, 4, 0)
        part.add(FEATURES[:7])
        assert cached.load(10) is None
        part.add(FEATURES[7:])
        part.commit()
    found = cached.load(10)
    assert found is not None
    assert np.array_equal(found, FEATURES)
    assert cached.load(9) is None, "of other pictures"
    assert [path.name for path in tmp_path.iterdir()] == ["some.npy"]
    assert CachedFeatures(None).load(10) is None


@given(st.integers(0, HEADER + FEATURES.nbytes))
def test_a_truncated_file_is_continued_after_its_complete_rows(
    tmp_path_factory: pytest.TempPathFactory, size: int
) -> None:
    path = tmp_path_factory.mktemp("kept") / "some.npy"
    grown(path, 10)
    os.truncate(partial_path(path), size)
    with CachedFeatures(path).computing(True, 0, never) as part:
        before = part.load_rows(10)
        rows = 0 if before is None else len(before)
        assert rows == max(0, size - HEADER) // 16
        assert before is None or np.array_equal(before, FEATURES[:rows])
        assert part.load_rows(11) is None
        part.open_at(10, 4, rows)
        part.add(FEATURES[rows:])
        part.commit()
    found = CachedFeatures(path).load(10)
    assert found is not None
    assert np.array_equal(found, FEATURES)


def test_zeros_after_a_power_failure_are_not_features(tmp_path: Path) -> None:
    grown(tmp_path / "some.npy", 6)
    os.truncate(partial_path(tmp_path / "some.npy"), HEADER + FEATURES.nbytes)
    with CachedFeatures(tmp_path / "some.npy").computing(True, 0, never) as part:
        before = part.load_rows(10)
    assert before is not None
    assert len(before) == 6


@pytest.mark.parametrize("content", [b"", b"nothing", b"\x93NUMPY\x01\x00"])
def test_a_damaged_file_of_features_is_computed_again(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "some.npy"
    path.write_bytes(content)
    partial_path(path).write_bytes(content)
    assert CachedFeatures(path).load(3) is None
    assert "the features are computed again" in caplog.text
    with CachedFeatures(path).computing(True, 0, never) as part:
        assert part.load_rows(3) is None


WRITER = """
import signal
import sys
from pathlib import Path
import numpy as np
from feature_cache import CachedFeatures
with CachedFeatures(Path(sys.argv[1])).computing(True, 0, bool) as partial:
    partial.open_at(10, 4, 0)
    partial.add(np.arange(1, 21, dtype=np.float32).reshape(5, 4))
    print("half", flush=True)
    signal.pause()
"""


def test_the_file_of_another_process_is_not_used_or_changed(tmp_path: Path) -> None:
    """Where no process may wait, as among several processes; the other one is killed in the end."""
    path = tmp_path / "some.npy"
    writer = start(path, code=WRITER)
    read_until(writer, "half")
    with CachedFeatures(path).computing(True, 0, never) as part:
        part.open_at(10, 4, 0)
        part.add(FEATURES)
        part.commit()
        assert not part.is_kept
    assert not path.exists()
    writer.kill()
    writer.communicate()
    with CachedFeatures(path).computing(True, 0, never) as part:
        before = part.load_rows(10)
        assert part.is_kept
    assert before is not None
    assert len(before) == 5


def test_the_oldest_features_are_deleted_for_new_ones(tmp_path: Path) -> None:
    new, middle, old = (f"{letter * 32}.npy" for letter in "abc")
    names = (new, f"{middle}.part", old, "mine.npy")
    for age, name in enumerate(names):
        (tmp_path / name).write_bytes(bytes(100))
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    assert cache_folder.make_room(tmp_path, 60, 900)  # a quarter of 1200, of which 300 are taken
    assert {path.name for path in tmp_path.iterdir()} == {*names} - {old}
    assert not cache_folder.make_room(tmp_path, 276, 900)
    assert {path.name for path in tmp_path.iterdir()} == {*names} - {old}


def test_features_that_cannot_be_cached_are_still_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    assert CachedFeatures.in_folder(tmp_path / "file" / "below", lambda: "name") == CachedFeatures(None)
    assert "features are not kept: " in caplog.text


def test_a_folder_of_another_user_in_a_shared_parent_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "everybodys").mkdir()
    (tmp_path / "everybodys").chmod(0o777 | stat.S_ISVTX)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "everybodys" / "theirs").symlink_to(tmp_path / "theirs")
    assert not cache_folder.is_usable(tmp_path / "everybodys" / "theirs")
    assert cache_folder.is_usable(tmp_path / "everybodys" / "ours")
    assert (tmp_path / "everybodys" / "ours").stat().st_mode & 0o777 == 0o700


def test_a_warm_pool_and_a_machine_have_a_cache_folder(data: Path, tmp_path: Path) -> None:
    pool = {"SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY": str(tmp_path)}
    words = ["--data", str(data)]
    assert options.parse(words, pool).cache_dir == tmp_path / "features"
    assert options.parse([*words, "--cache-dir", str(tmp_path)], pool).cache_dir == tmp_path
    assert options.parse([*words, "--cache-dir", contract.WEIGHTS_NONE], pool).cache_dir is None
    usual = options.parse(words, {}).cache_dir
    assert usual is not None
    assert "features" in usual.name


SLOW = ("--architecture", "resnet18", "--image-size", "224", "--batch-size", "1")


def begun(process: Process, cache: Path) -> None:
    """Waits until some features are cached."""
    read_until(process, "features of 27 pictures are computed")
    until(lambda: any(path.stat().st_size > 3 * 2048 for path in cache.glob("*.part")))


def test_interrupted_features_are_continued(data: Path, tmp_path: Path) -> None:
    """With SIGTERM, and with SIGKILL."""
    flags = ["--data", data, *HEAD, *SLOW]
    run(*flags, "--model-dir", tmp_path / "whole")
    for how in (signal.SIGTERM, signal.SIGKILL):
        keeping = [*flags, "--cache-dir", tmp_path / how.name, "--model-dir", tmp_path / "resumed"]
        process = start(*keeping)
        begun(process, tmp_path / how.name)
        process.send_signal(how)
        out, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == (143 if how == signal.SIGTERM else -how)
        assert bool(re.search(r"stopped: the features of \d+ of 27 pictures are kept", out)) == (how == signal.SIGTERM)
        assert re.search(r"features of 27 pictures are computed, from number \d+ on", run(*keeping)[0])
        assert equal(weights(tmp_path / "resumed"), weights(tmp_path / "whole"))


def test_two_trainings_at_once_compute_them_once(data: Path, tmp_path: Path) -> None:
    """As the trials of a search that runs on one machine."""
    flags = ["--data", data, *HEAD, *SLOW, "--cache-dir", tmp_path / "cache"]
    one = start(*flags, "--model-dir", tmp_path / "one")
    begun(one, tmp_path / "cache")
    other = start(*flags, "--learning-rate", "0.02", "--model-dir", tmp_path / "other")
    outputs = [process.communicate(timeout=PATIENCE)[0] for process in (one, other)]
    assert [process.returncode for process in (one, other)] == [0, 0]
    assert "using cached features of 27 pictures" in outputs[1]
    assert (
        sum(text.count("pictures are computed") for text in outputs) == 1
    )  # of validation; training's was read before


def test_every_host_keeps_its_own(data: Path, tmp_path: Path) -> None:
    hosts = [{**place, "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1"} for place in launcher_environments(2)]
    caches = (tmp_path / "first", tmp_path / "second")
    how = ["--data", data, *HEAD, "--model-dir", tmp_path / "model"]
    processes = [start(*how, "--cache-dir", cache, **host) for cache, host in zip(caches, hosts, strict=True)]
    outputs = [process.communicate(timeout=PATIENCE) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    contents = [{path.name: path.read_bytes() for path in cache.iterdir()} for cache in caches]
    assert contents[0] == contents[1]
    assert len(contents[0]) == 2
