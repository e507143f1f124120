"""`pedigree check` as its user meets it: exit codes, one clear line for what is no definition, formats."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import INSTALLED, environment

GOLDEN = Path(__file__).parents[2] / "golden" / "definition.json"


def check(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [str(INSTALLED), "check", *arguments]
    return subprocess.run(command, env=environment(), input=given, capture_output=True, text=True, check=False)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.json"
    path.write_text(GOLDEN.read_text().replace("Parameters.Epochs", "Parameters.Epoch"))
    return path


def test_our_own_definition_is_clean() -> None:
    done = check("--fail-on", "warning")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_what_is_wrong_makes_exit_code_1(broken: Path) -> None:
    done = check(str(broken))
    assert done.returncode == 1
    assert "error REF001 in Tune: there is no parameter Epoch\n" in done.stdout
    assert "→ did you mean Epochs?" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--fail-on", "never"], 0),
        (["--ignore", "REF001"], 0),
        (["--ignore", "REF001", "--fail-on", "warning"], 1),
        (["--select", "LIM"], 0),
    ],
)
def test_codes_and_severities_are_chosen(broken: Path, arguments: list[str], code: int) -> None:
    assert check(str(broken), *arguments).returncode == code


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "the text is empty"),
        ("hello", "not JSON"),
        (GOLDEN.read_text()[:900], "cut off"),
        ("{}", "no list of Steps"),
    ],
)
def test_what_is_no_definition_makes_exit_code_2_and_one_line(given: str, message: str) -> None:
    done = check("-", given=given)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["nowhere.json"],
        ["."],
        ["--explain", "XYZ"],
        ["-", "--select", "REFF"],
        ["-", "--scripts", "nowhere"],
        ["-", "--schedule", "nowhere"],
        ["-", "--policies", "nowhere"],
        ["-", "--write-policy", "nobody"],
        ["-", "--account", "123456789012"],
    ],
)
def test_a_mistake_in_the_call_is_one_line(arguments: list[str]) -> None:
    done = check(*arguments, given=GOLDEN.read_text())
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_programs_can_read_it(broken: Path) -> None:
    found = json.loads(check(str(broken), "--format", "json").stdout)["findings"]
    assert {finding["code"] for finding in found} >= {"REF001"}
    assert json.loads(check(str(broken), "--format", "sarif").stdout)["version"] == "2.1.0"


def test_a_rule_is_explained() -> None:
    assert check("--explain", "ref001").stdout.startswith("REF001 (references, error): ")


def test_a_role_gets_the_least_policy(tmp_path: Path) -> None:
    written = check(str(GOLDEN), "--write-policy", "job")
    assert (written.returncode, written.stderr) == (0, "")
    assert json.loads(written.stdout)["Statement"]
    folder = tmp_path / "pedigree-job"
    folder.mkdir()
    (folder / "policy.json").write_text(written.stdout)
    done = check(str(GOLDEN), "--policies", str(tmp_path), "--select", "IAM", "--fail-on", "warning")
    assert done.returncode == 0, done.stdout
    assert "IAM005" in done.stdout


def test_an_ignored_code_has_a_reason_and_is_reported_when_it_is_not_found(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text('[checks]\nignore = [{code="CON007", reason="weights only"}, {code="CST", reason="gone"}]\n')
    done = check("--settings", str(settings), "--fail-on", "note")
    assert done.returncode == 0, done.stdout
    assert done.stderr == "pedigree: CST is ignored, but no finding matches it; remove it from checks.ignore\n"
    settings.write_text('[checks]\nignore = [{code="CON007"}]\n')
    done = check("--settings", str(settings))
    assert done.returncode == 2
    assert "reason" in done.stderr
