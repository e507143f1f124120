"""What the figures about a checkout's structure count, on a small checkout."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests import structure

ROOT = Path(__file__).parents[2]
MOST_REPEATED = 10  # where the domain itself has one word for several things
FILES = {
    "lower/a.py": "class Thing: ...\n",
    "lower/b.py": "def late():\n    from upper import c\n    return c\n",
    "upper/c.py": "import lower.a\nfrom lower import b\nclass Thing: ...\nclass Other: ...\n",
    "tests/test_c.py": "from upper import c\n",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    for command in (("init", "--quiet"), ("add", ".")):
        subprocess.run(["git", "-C", tmp_path, *command], check=True)
    return tmp_path


def test_tests_do_not_count(checkout: Path) -> None:
    assert [module.name for module in structure.read(checkout)] == ["lower.a", "lower.b", "upper.c"]


def test_a_class_name_in_two_modules_counts(checkout: Path) -> None:
    assert structure.repeated_class_names(structure.read(checkout)) == {"Thing": ["lower/a.py", "upper/c.py"]}


def test_an_import_inside_a_function_is_an_arrow_and_closes_a_circle(checkout: Path) -> None:
    graph = structure.all_arrows(structure.read(checkout))["all"]
    assert structure.circles(graph) == [["lower", "upper"]]
    assert structure.arrows_up(graph) == [("lower", "upper")]


def test_folders_that_import_downwards_are_no_circle(checkout: Path) -> None:
    (checkout / "lower/b.py").write_text("")
    assert structure.circles(structure.all_arrows(structure.read(checkout))["all"]) == []


def test_the_table_has_a_row_for_each_checkout(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    structure.main([str(checkout)])
    assert f"| {checkout} | 3 | 8 | 3 / 4 | 3 / 3 / 3 | 1 of 2 |" in capsys.readouterr().out


def test_no_folder_of_this_house_imports_upwards() -> None:
    modules = structure.read(ROOT)
    assert {what: structure.circles(graph) for what, graph in structure.all_arrows(modules).items()} == {
        "the house": [],
        "the local AWS": [],
        "all": [],
    }


def test_a_class_name_stands_for_one_thing() -> None:
    repeated = structure.repeated_class_names(structure.read(ROOT))
    assert len(repeated) <= MOST_REPEATED, repeated
