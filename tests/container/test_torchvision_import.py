"""torchvision is imported without torch's compiler, which is there for who needs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import contract

ENTRYPOINTS = Path(contract.__file__).parent


def run(script: str, *path: Path) -> str:
    command = [sys.executable, "-c", script]
    folders = ":".join(map(str, (*path, ENTRYPOINTS)))
    done = subprocess.run(command, env={"PYTHONPATH": folders}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("script", ["evaluate", "inference"])
def test_a_script_that_does_not_train_imports_no_compiler(script: str) -> None:
    assert run(f"import sys, {script}; print('torch._dynamo' in sys.modules)") == "False\n"


def test_the_compiler_is_torchs_own_when_something_needs_it() -> None:
    lines = (
        "import sys, torch, torchvision_import",
        "module = sys.modules['torchvision.ops.roi_align']",
        "print(module.is_compile_supported('cpu') == torch._dynamo.utils.is_compile_supported('cpu'))",
        "print(torch._dynamo.disable(lambda number: number + 1)(1))",
    )
    assert run("\n".join(lines)) == "True\n2\n"


def test_a_torchvision_that_needs_more_of_the_compiler_gets_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "torchvision.py").write_text("from torch._dynamo import optimize\n", encoding="utf-8")
    script = "import torchvision_import; print(torchvision_import.torchvision.optimize.__module__)"
    assert run(script, tmp_path).startswith("torch._dynamo.")
