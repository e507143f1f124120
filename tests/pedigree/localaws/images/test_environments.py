"""Environments are made once, whole or not at all, by the first job that needs one."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pedigree.localaws.images.environments import Environments, environments_folder
from pedigree.localaws.images.errors import ImageError
from pedigree.localaws.images.recipe import Recipe
from tests.support.local_package import Gate, local_package


@pytest.fixture
def package(tmp_path: Path) -> str:
    return local_package(tmp_path / "package")


@pytest.fixture
def environments(tmp_path: Path) -> Environments:
    return Environments(tmp_path / "environments")


def answer(folder: Path) -> str:
    command = [str(folder / "bin" / "python"), "-c", "import of_a_test; print(of_a_test.ANSWER)"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_an_environment_is_made_once_for_all_who_need_it(environments: Environments, package: str) -> None:
    lines: list[str] = []
    recipe = Recipe("tests", packages=(package,))
    with ThreadPoolExecutor(3) as pool:
        folders = list(pool.map(lambda _: environments.build(recipe, lines.append), range(3)))
    assert len(set(folders)) == 1
    assert answer(folders[0]) == "42"
    assert sum(line.startswith("Making an environment for tests") for line in lines) == 1
    assert environments.is_built(recipe)
    [built] = environments.built()
    assert (built.folder, built.recipe) == (folders[0], "tests")


def test_another_list_of_packages_is_another_environment(environments: Environments) -> None:
    one, other = Recipe("x", packages=("a==1",)), Recipe("x", packages=("a==2",))
    assert environments.folder_of(one) != environments.folder_of(other)
    assert environments.folder_of(one) == environments.folder_of(Recipe("y", packages=("a==1",)))


def test_what_cannot_be_installed_is_one_line_and_nothing_is_used_later(environments: Environments) -> None:
    recipe = Recipe("broken", packages=("of-a-test @ file:///nowhere/at-all",))
    with pytest.raises(ImageError, match="the environment of broken cannot be made") as raised:
        environments.build(recipe, lambda _line: None)
    assert "\n" not in str(raised.value)
    assert not environments.is_built(recipe)
    assert list(environments.built()) == []


def building(environments: Environments, *packages: str) -> list[str]:
    """The command of another process that builds an environment, and prints what became of it."""
    script = """
        import sys
        from pathlib import Path
        from pedigree.localaws.images.environments import Environments
        from pedigree.localaws.images.errors import ImageError
        from pedigree.localaws.images.recipe import Recipe
        folder = Path(sys.argv[1])
        try:
            print(Environments(folder).build(Recipe("tests", packages=tuple(sys.argv[2:])), lambda line: None))
        except ImageError as error:
            print(error)
        print(sorted(path.suffix for path in folder.iterdir()))
        """
    return [sys.executable, "-c", textwrap.dedent(script), str(environments.folder), *packages]


def test_a_killed_build_is_made_anew_when_all_that_it_had_started_has_ended(
    environments: Environments, package: str, tmp_path: Path
) -> None:
    recipe, gate, waits = Recipe("tests", packages=(package,)), Gate(tmp_path / "package"), threading.Event()
    with subprocess.Popen(building(environments, package), stdout=subprocess.DEVNULL) as started:
        gate.wait_until_begun()
        started.kill()
    assert not environments.is_built(recipe)
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(environments.build, recipe, lambda line: waits.set() if "Waiting for" in line else None)
        assert waits.wait(120)
        gate.open()
        assert answer(made.result()) == "42"


def test_what_fails_for_want_of_room_says_so_and_leaves_nothing(environments: Environments, package: str) -> None:
    environments.folder.mkdir()
    mount = f"mount -t tmpfs -o size=2m none {environments.folder}"
    namespaces = ["unshare", "--user", "--map-root-user", "--mount", "--", "sh", "-c", f'{mount} && exec "$@"', "sh"]
    if subprocess.run([*namespaces, "true"], capture_output=True, check=False).returncode:
        # The error of the system without its cause.
        full = "import os, errno\nraise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))\n"
        Path(package.partition("file://")[2], "backend.py").write_text(full, encoding="utf-8")
        namespaces = []
    command = [*namespaces, *building(environments, package)]
    line, left = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert line.startswith("the environment of tests cannot be made: the disk is full (")
    assert line.endswith(
        f"; make room for {environments.folder}, or let PEDIGREE_ENVIRONMENTS name a folder that has more"
    )
    assert left == "['.lock']"


def test_without_a_network_it_says_that_it_needs_one_and_leaves_nothing(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9/"
    pip = {"PIP_INDEX_URL": nowhere, "PIP_RETRIES": "1", "PIP_CONFIG_FILE": os.devnull, "UV_DEFAULT_INDEX": nowhere}
    environments = Environments(tmp_path / "environments", {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **pip})
    with pytest.raises(ImageError) as raised:
        environments.build(Recipe("tests", packages=("of-a-test==1",)), lambda _line: None)
    assert raised.value.cause.startswith("the environment of tests cannot be made: no package index answers (")
    assert raised.value.remedy.startswith("it needs the network once; or install of-a-test==1 … yourself")
    assert [path.suffix for path in environments.folder.iterdir()] == [".lock"]


def test_an_environment_that_is_there_is_used_as_it_is(environments: Environments) -> None:
    recipe = Recipe("mine", environment=Path(sys.prefix))
    assert environments.build(recipe, lambda _line: None) == Path(sys.prefix)
    missing = Recipe("mine", environment=Path("/nowhere"))
    with pytest.raises(ImageError, match="has no environment at /nowhere"):
        environments.build(missing, lambda _line: None)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ImageError, match="cannot be made"):
        Environments(tmp_path / "file" / "below").build(Recipe("x"), lambda _line: None)


def test_a_removed_environment_is_not_used(environments: Environments) -> None:
    recipe = Recipe("empty")
    folder = environments.build(recipe, lambda _line: None)
    environments.remove(folder)
    assert not environments.is_built(recipe)
    assert not folder.exists()


def test_it_is_a_user_s_cache_unless_a_variable_says_otherwise(tmp_path: Path) -> None:
    assert environments_folder({"PEDIGREE_ENVIRONMENTS": str(tmp_path)}) == tmp_path
    assert environments_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "pedigree" / "environments"


def test_who_waits_for_another_one_says_so(environments: Environments, package: str) -> None:
    recipe, waits = Recipe("tests", packages=(package,)), threading.Event()
    environments.folder.mkdir()

    def on_line(line: str) -> None:
        if line.startswith("Waiting for tests"):
            waits.set()

    with ThreadPoolExecutor(2) as pool:
        made = [pool.submit(environments.build, recipe, on_line) for _ in range(2)]
        assert waits.wait(120)
        assert len({future.result() for future in made}) == 1
