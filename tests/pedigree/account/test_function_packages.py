"""A function's package is the same bytes wherever it is made, and has what the function imports, and no more."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from pedigree.account.function_package import package
from pipeline.account.functions import functions_folder
from steps.functions import FUNCTIONS


def names(content: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(content)).namelist()


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


FILES = {
    "one.py": "import json\nfrom shared.log import log\n\n\ndef handler(event, context):\n    import late\n",
    "late.py": "import boto3\n",
    "other.py": "",
    "shared/__init__.py": "",
    "shared/log.py": "from . import words\nimport deeper\n",
    "shared/words.py": "",
    "deeper/__init__.py": "from deeper.still import thing\n",
    "deeper/still.py": "thing = 1\n",
    "shared/__pycache__/log.cpython-313.pyc": "no source",
}


def test_it_has_what_the_function_imports_however_far_away(tmp_path: Path) -> None:
    found = names(package("one", written(tmp_path, FILES)).content)
    assert found == [
        "deeper/__init__.py", "deeper/still.py", "late.py", "one.py",
        "shared/__init__.py", "shared/log.py", "shared/words.py",
    ]  # fmt: skip


def test_times_modes_and_places_do_not_matter(tmp_path: Path) -> None:
    first = package("one", written(tmp_path / "a", FILES))
    other = written(tmp_path / "b", dict(reversed(FILES.items())))
    for path in other.rglob("*.py"):
        path.chmod(0o755)
        os.utime(path, (0, 0))
    assert package("one", other) == first
    assert package("one", other).sha256 == first.sha256


def test_a_changed_import_is_a_changed_package(tmp_path: Path) -> None:
    before = package("one", written(tmp_path, FILES)).sha256
    (tmp_path / "deeper" / "still.py").write_text("thing = 2\n")
    assert package("one", tmp_path).sha256 != before


@pytest.mark.parametrize("function", FUNCTIONS.values())
def test_each_function_of_the_project_is_whole(function: str) -> None:
    module = function.replace("-", "_")
    assert f"{module}.py" in names(package(module, functions_folder()).content)


def test_a_function_that_is_not_there_is_a_bug(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        package("nowhere", tmp_path)
