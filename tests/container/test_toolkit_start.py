"""AWS's toolkit starts without the libraries that only its scripts need, and the scripts do not notice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

START = Path(__file__).parents[2] / "pedigree/localaws/images/programs/toolkit_start.py"
TOOLKIT = Path(sys.executable).with_name("train")
SCRIPT = """
import os, pathlib, sys
before = sorted({"torch", "smdebug"} & set(sys.modules))
import smdebug.exceptions, torch
has = torch.ones(2).sum().item(), smdebug.exceptions.SMDebugError.__module__, smdebug.modes.TRAIN.name
text = repr((os.environ["SM_DLC_TORCH_VERSION"], sys.argv[1:], before, *has))
pathlib.Path(os.environ["SM_MODEL_DIR"], "said").write_text(text)
"""
FAILING = "from smdebug.exceptions import SMDebugValueError\nraise SMDebugValueError('too few tensors')\n"


def job(folder: Path, script: str) -> dict[str, str]:
    """Lay out a job as SageMaker does; returns the variables that its toolkit is started with."""
    for name in ("input/config", "input/data", "model", "output", "code"):
        (folder / name).mkdir(parents=True)
    (folder / "code" / "script.py").write_text(script, encoding="utf-8")
    parameters = {"sagemaker_program": "script.py", "sagemaker_submit_directory": f"{folder}/code", "epochs": "3"}
    hosts = {"current_host": "localhost", "hosts": ["localhost"], "network_interface_name": "lo"}
    for name, content in (("hyperparameters", parameters), ("resourceconfig", hosts), ("inputdataconfig", {})):
        (folder / "input" / "config" / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return {**os.environ, "SAGEMAKER_BASE_DIR": str(folder)}


def start(variables: dict[str, str], *interpreter: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *interpreter, "-c", START.read_text(encoding="utf-8"), str(TOOLKIT)]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


def test_its_process_imports_neither_torch_nor_smdebug(tmp_path: Path) -> None:
    started = start(job(tmp_path, "print('over')"), "-X", "importtime")
    assert "over" in started.stdout
    imported = {line.rpartition("|")[2].strip() for line in started.stderr.splitlines()}
    assert "sagemaker_training.trainer" in imported
    assert not imported & {"torch", "torch._C", "smdebug"}


def test_the_script_has_torch_its_version_and_smdebug(tmp_path: Path) -> None:
    started = start(job(tmp_path, SCRIPT))
    assert started.returncode == 0, started.stderr
    expected: tuple[object, ...] = (version("torch"), ["--epochs", "3"], [], 2.0, "smdebug.exceptions", "TRAIN")
    assert (tmp_path / "model" / "said").read_text() == repr(expected)


def test_an_exception_of_smdebug_becomes_the_reason_of_the_failure(tmp_path: Path) -> None:
    assert start(job(tmp_path, FAILING)).returncode == 1
    assert (tmp_path / "output" / "failure").read_text(encoding="utf-8").startswith("SMDebugValueError:")


def test_a_toolkit_that_asks_for_more_gets_the_library(tmp_path: Path) -> None:
    program = tmp_path / "train"
    program.write_text(
        "import smdebug, torch\nprint(torch.nn.Linear.__name__, smdebug.modes.TRAIN.name)", encoding="utf-8"
    )
    command = [sys.executable, "-c", START.read_text(encoding="utf-8"), str(program)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "Linear TRAIN\n"


@pytest.mark.parametrize("name", ["torch", "smdebug"])
def test_a_library_that_is_not_there_is_not_there(tmp_path: Path, name: str) -> None:
    program = tmp_path / "train"
    program.write_text(f"import importlib.util\nprint(importlib.util.find_spec({name!r}))", encoding="utf-8")
    command = [sys.executable, "-I", "-S", "-c", START.read_text(encoding="utf-8"), str(program)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "None\n"
