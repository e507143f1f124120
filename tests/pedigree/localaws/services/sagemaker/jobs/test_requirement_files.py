"""What a job will install is found where each program that starts scripts looks for it."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from pedigree.localaws.services.sagemaker.jobs.requirement_files import requirements


def archive(name: str = "requirements.txt", text: str = "pandas\n") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for member, content in (("train.py", ""), (name, text)):
            described = tarfile.TarInfo(member)
            described.size = len(content)
            tar.addfile(described, io.BytesIO(content.encode()))
    return packed.getvalue()


def workspace() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("sagemaker_remote_function_workspace/sagemaker_requirements_x.txt", "pandas\n")
        file.writestr("sagemaker_remote_function_workspace/data/notes.txt", "nothing of this\n")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("place", "content"),
    [
        ("input/source/sourcedir.tar.gz", archive()),  # a script of an estimator
        ("input/data/code/sourcedir.tar.gz", archive("./requirements.txt")),
        ("processing/input/code/sourcedir.tar.gz", archive()),  # a FrameworkProcessor
        ("input/data/code/requirements.txt", b"pandas\n"),  # version 3's ModelTrainer
        ("input/data/pre_exec_script_and_dependencies/sagemaker_requirements_x.txt", b"pandas\n"),  # @step
        ("input/data/sm_rf_user_ws/workspace.zip", workspace()),  # @remote
    ],
)
def test_a_job_asks_for_what_its_starter_finds(tmp_path: Path, place: str, content: bytes) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert requirements(tmp_path) == "pandas\n"


def test_the_toolkits_archive_is_one_that_it_fetches_itself(tmp_path: Path) -> None:
    assert requirements(tmp_path, io.BytesIO(archive())) == "pandas\n"


@pytest.mark.parametrize("content", [b"no archive", archive("other.txt"), archive("code/requirements.txt"), b""])
def test_an_archive_without_a_list_asks_for_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "input" / "source").mkdir(parents=True)
    (tmp_path / "input" / "source" / "sourcedir.tar.gz").write_bytes(content)
    (tmp_path / "input" / "data" / "sm_rf_user_ws").mkdir(parents=True)
    (tmp_path / "input" / "data" / "sm_rf_user_ws" / "workspace.zip").write_bytes(content)
    assert requirements(tmp_path) == ""


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("# ours\n\nPandas>=2,<3  # tables\n", "Pandas>=2,<3\n"),
        ("a[b, c]==1.0; python_version < '3.12'\nd\n", "a[b, c]==1.0; python_version < '3.12'\nd\n"),
        ("a==1 \\\n    --hash=sha256:0\n", "a==1      --hash=sha256:0\n"),
        ("--index-url https://example.com/simple\na (>=1)\n", "--index-url https://example.com/simple\na (>=1)\n"),
        ("a\n-r more.txt\n", ""),
        ("a\n-e .\n", ""),
        ("./here\n", ""),
        ("a @ https://example.com/a.whl\n", ""),
        ("git+https://example.com/a.git\n", ""),
        ("", ""),
    ],
)
def test_a_list_is_what_it_says_and_nothing_that_it_points_to(tmp_path: Path, text: str, asked: str) -> None:
    code = tmp_path / "input" / "data" / "code"
    code.mkdir(parents=True)
    (code / "requirements.txt").write_text(text, encoding="utf-8")
    assert requirements(tmp_path) == asked
