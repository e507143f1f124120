"""A script gets what AWS's training toolkit would give it: its source, its arguments, its variables."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.services.sagemaker.resources.images import PROGRAMS_FOLDER

SHOW = """
import json, os, pathlib, sys
seen = {name: value for name, value in os.environ.items() if name.startswith("SM_")}
pathlib.Path(os.environ["SM_MODEL_DIR"], "seen.json").write_text(json.dumps([sys.argv[1:], seen, os.getcwd()]))
"""


class Container:
    """A folder that is laid out as /opt/ml."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("input/config", "input/data", "input/source", "model", "output/data", "code"):
            (root / name).mkdir(parents=True)

    def run(self, hyperparameters: dict[str, Any], channels: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        config = self.root / "input" / "config"
        texts = {name: text if isinstance(text, str) else json.dumps(text) for name, text in hyperparameters.items()}
        (config / "hyperparameters.json").write_text(json.dumps(texts))
        (config / "inputdataconfig.json").write_text(json.dumps({name: {} for name in channels}))
        (config / "resourceconfig.json").write_text(json.dumps({"current_host": "algo-1", "hosts": ["algo-1"]}))
        environment = {"PATH": os.environ["PATH"], "SAGEMAKER_BASE_DIR": str(self.root)}
        command = [sys.executable, str(PROGRAMS_FOLDER / "script_mode.py")]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def seen(self) -> tuple[list[str], dict[str, str], str]:
        arguments, variables, folder = json.loads((self.root / "model" / "seen.json").read_text())
        return arguments, variables, folder

    def failure(self) -> str:
        return (self.root / "output" / "failure").read_text()


@pytest.fixture
def container(tmp_path: Path) -> Container:
    return Container(tmp_path / "ml")


def packed(path: Path, **files: str) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name.replace("__", "."))
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))


def test_a_script_from_an_archive_gets_arguments_and_variables(container: Container) -> None:
    packed(container.root / "input" / "source" / "sourcedir.tar.gz", train__py=SHOW, helper__py="")
    done = container.run(
        {
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": '"s3://bucket/x/sourcedir.tar.gz"',
            "_tuning_objective_metric": "validation:auc",
            "max-depth": 5,
            "eta": "0.2",
            "name": '"a b"',
            "k": 3,
            "layers": [1, 2],
        },
        channels=("validation", "train"),
    )
    assert done.returncode == 0, done.stderr
    arguments, variables, folder = container.seen()
    assert arguments == ["--eta", "0.2", "-k", "3", "--layers", "[1, 2]", "--max-depth", "5", "--name", "a b"]
    assert folder == str(container.root / "code")
    assert variables["SM_CHANNEL_TRAIN"] == str(container.root / "input" / "data" / "train")
    assert json.loads(variables["SM_CHANNELS"]) == ["train", "validation"]
    assert (variables["SM_HP_NAME"], variables["SM_HP_MAX-DEPTH"], variables["SM_HP_LAYERS"]) == ("a b", "5", "[1, 2]")
    assert json.loads(variables["SM_HPS"])["layers"] == [1, 2]
    assert json.loads(variables["SM_HOSTS"]) == ["algo-1"]
    assert variables["SM_MODULE_DIR"] == "s3://bucket/x/sourcedir.tar.gz"
    assert json.loads(variables["SM_TRAINING_ENV"])["channel_input_dirs"]["train"].endswith("/train")
    assert (container.root / "output" / "success").exists()


def test_a_folder_in_the_container_may_have_the_source(container: Container) -> None:
    folder = container.root / "input" / "data" / "code"
    folder.mkdir()
    (folder / "train.py").write_text(SHOW)
    done = container.run({"sagemaker_program": "train.py", "sagemaker_submit_directory": str(folder)}, ("code",))
    assert done.returncode == 0, done.stderr
    assert container.seen()[2] == str(folder)


def test_a_shell_script_gets_the_arguments_and_becomes_executable(container: Container) -> None:
    (container.root / "code" / "train.sh").write_text('echo "$@" > "$SM_MODEL_DIR/arguments"\n')
    (container.root / "code" / "train.sh").chmod(0o644)
    assert container.run({"sagemaker_program": "train.sh", "epochs": 2}).returncode == 0
    assert (container.root / "model" / "arguments").read_text() == "--epochs 2\n"


def test_a_failure_leaves_its_last_errors_and_its_exit_code(container: Container) -> None:
    (container.root / "code" / "train.py").write_text("raise ValueError('no rows')\n")
    done = container.run({"sagemaker_program": "train.py"})
    assert done.returncode == 1
    assert "ValueError: no rows" in done.stderr
    assert container.failure().startswith('ExecuteUserScriptError:\nExitCode 1\nErrorMessage "Traceback')
    assert "ValueError: no rows" in container.failure()
    assert not (container.root / "output" / "success").exists()


@pytest.mark.parametrize(
    ("hyperparameters", "words"),
    [
        ({"sagemaker_program": "gone.py"}, "gone.py is not in"),
        ({}, "sagemaker_program is not in"),
    ],
)
def test_a_script_that_is_not_there_is_one_line(
    container: Container, hyperparameters: dict[str, str], words: str
) -> None:
    assert container.run(hyperparameters).returncode == 1
    assert words in container.failure()


def test_requirements_that_cannot_be_installed_fail_the_job(container: Container) -> None:
    (container.root / "code" / "train.py").write_text(SHOW)
    (container.root / "code" / "requirements.txt").write_text("of-a-test @ file:///nowhere/at-all\n")
    done = container.run({"sagemaker_program": "train.py"})
    assert done.returncode == 1
    assert "pip install -r requirements.txt ended with" in container.failure()


def test_a_script_finds_the_modules_of_aws_images_after_its_own(container: Container) -> None:
    script = (
        "import sagemaker_containers, sagemaker_algorithm_toolkit as own\nprint(own.__name__, sagemaker_containers)"
    )
    (container.root / "code" / "train.py").write_text(script)
    (container.root / "code" / "sagemaker_algorithm_toolkit.py").write_text("__name__ = 'mine'")
    done = container.run({"sagemaker_program": "train.py"})
    assert (done.returncode, "mine <module 'sagemaker_containers' from" in done.stdout) == (0, True), done.stderr
