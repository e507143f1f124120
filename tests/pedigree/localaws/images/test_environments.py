"""Environments are made once, whole or not at all, by the first job that needs one."""

from __future__ import annotations

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
from tests.support.waiting import until


@pytest.fixture
def package(tmp_path: Path) -> str:
    """A package of this test's own, which pip installs without a network."""
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "of_a_test.py").write_text("ANSWER = 42\n", encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        textwrap.dedent(
            """
            [build-system]
            requires = []
            build-backend = "backend"
            backend-path = ["."]
            """
        ),
        encoding="utf-8",
    )
    (folder / "backend.py").write_text(
        textwrap.dedent(
            """
            import zipfile

            def build_wheel(folder, config_settings=None, metadata_directory=None):
                name = "of_a_test-1-py3-none-any.whl"
                info = "of_a_test-1.dist-info"
                with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
                    wheel.write("of_a_test.py")
                    wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: of_a_test\\nVersion: 1\\n")
                    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
                    wheel.writestr(f"{info}/RECORD", "")
                return name
            """
        ),
        encoding="utf-8",
    )
    return f"of_a_test @ {folder.as_uri()}"


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


def test_a_killed_build_is_made_anew(environments: Environments, package: str, tmp_path: Path) -> None:
    recipe = Recipe("tests", packages=(package,))
    script = textwrap.dedent(
        f"""
        from pathlib import Path
        from pedigree.localaws.images.environments import Environments
        from pedigree.localaws.images.recipe import Recipe
        Environments(Path({str(environments.folder)!r})).build(Recipe("tests", packages=({package!r},)), print)
        """
    )
    folder = environments.folder_of(recipe)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.DEVNULL) as started:
        until(lambda: (folder / "pyvenv.cfg").exists())
        started.kill()
    assert not environments.is_built(recipe)
    assert answer(environments.build(recipe, lambda _line: None)) == "42"


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
