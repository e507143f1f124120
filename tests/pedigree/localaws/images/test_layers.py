"""Layers are made once for an environment and a list of packages, whole or not at all, and stay while one is used."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pedigree.localaws.images.errors import ImageError
from pedigree.localaws.images.layers import BuiltLayer, Layers, Wanted


@pytest.fixture
def layers(tmp_path: Path) -> Layers:
    return Layers(tmp_path / "environments")


@pytest.fixture
def wanted(tmp_path: Path) -> Wanted:
    packages = tmp_path / "environment" / "lib" / "python3" / "site-packages"
    (packages / "numpy-2.dist-info").mkdir(parents=True)
    return Wanted(tmp_path / "environment", "# ours\npandas==2\n", {})


def install(requirements: Path, changes: Path) -> None:
    changes.mkdir()
    (changes / "installed").write_text(requirements.read_text(encoding="utf-8"), encoding="utf-8")


def fail(_requirements: Path, changes: Path) -> None:
    changes.mkdir()
    raise ImageError("no such package", "see the log")


def make(layers: Layers, wanted: Wanted) -> BuiltLayer:
    with layers.used(wanted, install, print):
        [built] = layers.built()
        return built


def test_a_layer_is_made_once_for_all_who_need_it(layers: Layers, wanted: Wanted) -> None:
    lines: list[str] = []

    def read(_: int) -> tuple[Path, str]:
        with layers.used(wanted, install, lines.append) as changes:
            return changes, (changes / "installed").read_text(encoding="utf-8")

    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(read, range(4)))
    assert {text for _, text in found} == {wanted.requirements}
    assert len(found) == 1
    assert sum(line.startswith("The layer is ready") for line in lines) == 1


def test_another_list_environment_or_index_is_another_layer(wanted: Wanted, tmp_path: Path) -> None:
    others = [
        Wanted(wanted.environment, "pandas==3\n", {}),
        Wanted(tmp_path, wanted.requirements, {}),
        Wanted(wanted.environment, wanted.requirements, {"PIP_INDEX_URL": "https://example.com"}),
    ]
    before = [each.name for each in (wanted, *others)]
    assert len(set(before)) == 4
    (wanted.environment / "lib" / "python3" / "site-packages" / "numpy-2.dist-info").rename(
        wanted.environment / "lib" / "python3" / "site-packages" / "numpy-3.dist-info"
    )
    assert wanted.name not in before


def test_what_cannot_be_installed_is_never_used(layers: Layers, wanted: Wanted) -> None:
    with pytest.raises(ImageError, match="no such package"), layers.used(wanted, fail, print):
        pass
    assert list(layers.built()) == []
    assert not (layers.folder / wanted.name).exists()


def test_a_layer_without_its_stamp_is_made_anew(layers: Layers, wanted: Wanted) -> None:
    built = make(layers, wanted)
    (built.folder / ".ready").unlink()
    (built.folder / "changes" / "half").touch()
    with layers.used(wanted, install, print) as changes:
        assert [path.name for path in changes.iterdir()] == ["installed"]


def test_a_layer_that_is_used_is_not_removed(layers: Layers, wanted: Wanted) -> None:
    with layers.used(wanted, install, print) as changes:
        assert not layers.remove(changes.parent)
        assert (changes / "installed").exists()
    assert layers.remove(changes.parent)
    assert list(layers.built()) == []


def test_who_waits_for_a_layer_gets_it_and_not_half_of_it(layers: Layers, wanted: Wanted) -> None:
    begins, goes_on = threading.Event(), threading.Event()

    def slowly(requirements: Path, changes: Path) -> None:
        begins.set()
        assert goes_on.wait(60)
        install(requirements, changes)

    def read() -> bool:
        with layers.used(wanted, slowly, print) as changes:
            return (changes / "installed").exists()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(read)
        assert begins.wait(60)
        second = pool.submit(read)
        assert list(layers.built()) == []
        goes_on.set()
        assert (first.result(), second.result()) == (True, True)


def test_a_layer_is_old_if_no_job_has_used_it_for_a_month_or_none_can(layers: Layers, wanted: Wanted) -> None:
    built = make(layers, wanted)
    assert (built.environment, built.first, built.is_old) == (wanted.environment, "# ours", False)
    month_ago = time.time() - 31 * 86_400
    os.utime(built.folder / ".ready", (month_ago, month_ago))
    assert next(layers.built()).is_old
    assert not make(layers, wanted).is_old
    (wanted.environment / "lib" / "python3" / "site-packages" / "more-1.dist-info").mkdir()
    assert next(layers.built()).is_old
