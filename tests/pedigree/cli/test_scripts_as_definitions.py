"""`pedigree check`, `graph` and `diff` take a script that defines a pipeline, as they take its JSON."""

from __future__ import annotations

import json
from pathlib import Path

from tests.pedigree.cli.test_commands import run
from tests.support.scripts import write_script

TWO = """
import sys
Pipeline("mine", [STEP, {**STEP, "Name": "Late", "DependsOn": [sys.argv[1]]}])
"""


def test_a_finding_is_on_the_line_of_the_script_that_names_its_step(tmp_path: Path) -> None:
    write_script(tmp_path, TWO)
    done = run("check", "pipeline.py", "--", "x", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith("pipeline.py:5: error"), done.stdout


def test_a_script_is_drawn(tmp_path: Path) -> None:
    write_script(tmp_path, "Pipeline('mine', [STEP])")
    assert run("graph", "pipeline.py", cwd=tmp_path).stdout.split() == ["pipeline.mmd", "pipeline.svg"]
    assert "No" in (tmp_path / "pipeline.mmd").read_text()


def test_a_script_is_compared_with_what_an_account_describes(tmp_path: Path) -> None:
    path = write_script(
        tmp_path, "import sys\nPipeline('mine', [{**STEP, 'Arguments': {'ErrorMessage': sys.argv[1]}}])"
    )
    definition = {
        "Steps": [{"Name": "No", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}],
        "Version": "2020-12-01",
    }
    described = {"PipelineName": "mine", "RoleArn": "arn", "PipelineDefinition": json.dumps(definition)}
    (tmp_path / "described.json").write_text(json.dumps(described))
    assert run("diff", "described.json", path.name, "--", "x", cwd=tmp_path).stdout == "no difference\n"
    assert "x → y" in run("diff", "described.json", path.name, "--", "y", cwd=tmp_path).stdout


def test_arguments_without_a_script_are_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    for arguments in (("check", "a.json", "x"), ("diff", "a.json", "a.json", "x")):
        done = run(*arguments, cwd=tmp_path)
        assert (done.returncode, done.stderr.count("\n"), "leave them out" in done.stderr) == (2, 1, True)


def test_a_script_that_fails_is_one_line(tmp_path: Path) -> None:
    write_script(tmp_path, "1 / 0")
    done = run("check", "pipeline.py", cwd=tmp_path)
    assert done.returncode == 2
    cause, remedy = "ZeroDivisionError: division by zero", "see where it comes from with: python pipeline.py"
    assert done.stderr == f"pedigree: pipeline.py:3: {cause}; {remedy}\n"
