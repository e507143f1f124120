"""The definition is found among the lines that a program prints around it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from pedigree.cli import noisy_input
from tests.pedigree.checks.case import made
from tests.pedigree.checks.small import document, get
from tests.support.cli import PEDIGREE, ROOT, environment

SDK = "sagemaker.config INFO - Not applying SDK defaults from location: /etc/xdg/sagemaker/config.yaml"
USER = "sagemaker.config INFO - Not applying SDK defaults from location: /root/.config/sagemaker/config.yaml"
DEFINITION = json.dumps(document())
PRETTY = json.dumps(document(), indent=2)
NOISY = f"{SDK}\n{USER}\n{PRETTY}\nbye\n"


def run(*arguments: str, cwd: Path = ROOT, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [*PEDIGREE, *arguments]
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment(PYTHONPATH=str(ROOT)),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_definition_alone_is_taken_as_it_is() -> None:
    assert noisy_input.find(f"\n{PRETTY}\n") == noisy_input.FoundDefinition(f"\n{PRETTY}\n")


@pytest.mark.parametrize("text", [DEFINITION, PRETTY])
def test_lines_before_and_after_it_are_passed_over_and_its_lines_keep_their_numbers(text: str) -> None:
    found = noisy_input.find(f"{SDK}\n\n{text}\nbye\n")
    assert found == noisy_input.FoundDefinition(f"\n\n{text}", (SDK, "bye"))


def test_another_document_before_it_is_passed_over() -> None:
    assert noisy_input.find(f'{{"level": "info"}}\n{DEFINITION}\nbye').passed_over == ('{"level": "info"}', "bye")


@pytest.mark.parametrize("text", ["", "{", "nothing", f"{SDK}\n{{'Steps': []}}\n", '["Steps"]', "{\n" * 5000])
def test_where_there_is_none_the_text_is_left_to_its_reader(text: str) -> None:
    assert noisy_input.find(text) == noisy_input.FoundDefinition(text)


def test_a_check_says_what_it_has_passed_over() -> None:
    done = run("check", "-", "--fail-on", "never", stdin=NOISY)
    assert done.returncode == 0
    assert done.stderr == f"pedigree: passed over what is not the definition: {SDK[:59]}… and 2 more\n"


def test_graph_and_diff_find_it_too(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text(NOISY)
    (tmp_path / "new.json").write_text(DEFINITION)
    assert "passed over" in run("graph", str(tmp_path / "old.json"), cwd=tmp_path).stderr
    done = run("diff", str(tmp_path / "old.json"), str(tmp_path / "new.json"))
    assert (done.returncode, "passed over" in done.stderr) == (0, True)


def test_a_finding_on_one_line_is_placed_by_its_pointer_and_shown_over_several() -> None:
    broken = json.dumps(made((("Deploy.Arguments.x", get("Parameters.Endpont")),)))
    done = run("check", "-", stdin=broken)
    assert "definition.json#/Steps/4/Arguments/IfSteps/1/Arguments/x: error REF001 in Deploy" in done.stdout
    assert '    "x": {\n      "Get": "Parameters.Endpont"\n    }\n    → ' in done.stdout
    assert "definition.json:1" not in done.stdout
    annotation = run("check", "-", "--format", "github", stdin=broken).stdout
    assert "::/Steps/4/Arguments/IfSteps/1/Arguments/x: there is no parameter Endpont" in annotation
