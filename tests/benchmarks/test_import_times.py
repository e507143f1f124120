"""The seconds of an import are listed by package, each module's own, and modules without bytecode are named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.import_times import by_package, measure

LINES = """\
import time: self [us] | cumulative | imported package
import time:       100 |        100 |     numpy.linalg
import time:       200 |        300 |   numpy
import time:      4000 |       4000 |   torch._dynamo.utils
import time:       500 |       4800 | torch
a line of the script
"""


def test_a_package_has_the_own_seconds_of_its_modules() -> None:
    assert by_package(LINES.splitlines()) == pytest.approx({"numpy": 0.0003, "torch._dynamo": 0.004, "torch": 0.0005})


def test_what_is_compiled_at_each_start_is_named(tmp_path: Path) -> None:
    (tmp_path / "uncompiled_module.py").touch()
    times = measure(Path(sys.executable), "import json, uncompiled_module", tmp_path, rounds=2)
    assert times.uncompiled == ["uncompiled_module"]
    assert {"json", "uncompiled_module"} <= set(times.seconds)
    assert times.total == sum(times.seconds.values()) > 0
