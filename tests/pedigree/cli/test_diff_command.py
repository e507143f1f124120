"""`pedigree diff`: what a new definition changes about an old one."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.pedigree.cli.test_commands import run

TRAIN: dict[str, Any] = {
    "Name": "Train",
    "Type": "Training",
    "Arguments": {"RoleArn": "arn:aws:iam::123456789012:role/job", "HyperParameters": {"epochs": "1"}},
    "CacheConfig": {"Enabled": True, "ExpireAfter": "30d"},
}


def definition(folder: Path, name: str, step: dict[str, Any]) -> str:
    (folder / name).write_text(json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": [step]}))
    return name


def diff(folder: Path, new: dict[str, Any], *options: str) -> subprocess.CompletedProcess[str]:
    return run("diff", definition(folder, "a.json", TRAIN), definition(folder, "b.json", new), *options, cwd=folder)


def test_equal_definitions_have_no_difference(tmp_path: Path) -> None:
    done = diff(tmp_path, TRAIN)
    assert (done.returncode, done.stdout) == (0, "no difference\n")


def test_a_changed_field_is_shown_with_the_step_that_runs_anew(tmp_path: Path) -> None:
    changed = {**TRAIN, "Arguments": {**TRAIN["Arguments"], "HyperParameters": {"epochs": "2"}}}

    done = diff(tmp_path, changed)
    assert done.returncode == 1
    assert "step Train: HyperParameters.epochs: 1 → 2" in done.stdout
    assert "Train" in done.stdout.splitlines()[-1]

    document = json.loads(diff(tmp_path, changed, "--json").stdout)
    assert [entry["step"] for entry in document["rerun"]] == ["Train"]
    assert document["changes"] == done.stdout.splitlines()


def test_a_file_that_is_not_a_definition_is_named(tmp_path: Path) -> None:
    (tmp_path / "not.json").write_text("[")
    done = run("diff", "not.json", "not.json", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
