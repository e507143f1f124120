"""The formats: for people, programs, code scanning and annotations."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pedigree.checks.errors import NotADefinitionError, UnknownCodeError
from pedigree.checks.finding import Severity
from pedigree.checks.manual import page
from pedigree.checks.output import FORMATS
from pedigree.checks.output.report import FindingsReport
from pedigree.checks.reading import load
from pedigree.checks.rules import RULES
from pedigree.checks.run import assert_clean, run
from pedigree.checks.source_lines import line_numbers
from tests.pedigree.checks.case import made
from tests.pedigree.checks.small import GONE, document, get

BROKEN = made((("Deploy.Arguments.x", get("Parameters.Endpont")), ("Train.Arguments.RoleArn", "job")))
SOURCE = json.dumps(BROKEN, indent=2)
REPORT = FindingsReport("pipe line.json", SOURCE, run(BROKEN))


def written(form: str) -> str:
    return FORMATS[form](REPORT)


def test_text_has_place_cause_fragment_and_remedy() -> None:
    text = written("text")
    line = 1 + SOURCE[: SOURCE.index('"x": {')].count("\n")
    assert f"pipe line.json:{line}: error REF001 in Deploy: there is no parameter Endpont\n" in text
    assert '    "x": {"Get": "Parameters.Endpont"}\n' in text
    assert "    → did you mean Endpoint?\n" in text


def test_a_clean_definition_is_reported_as_clean() -> None:
    assert FORMATS["text"](FindingsReport("a.json", json.dumps(document()), [])) == "a.json: nothing is wrong\n"


def test_json_has_all_of_a_finding() -> None:
    (found,) = [finding for finding in json.loads(written("json"))["findings"] if finding["code"] == "REF001"]
    assert found["pointer"] == "/Steps/4/Arguments/IfSteps/1/Arguments/x"
    assert (found["step"], found["severity"]) == ("Deploy", "error")


def test_sarif_names_rules_and_places() -> None:
    sarif: dict[str, Any] = json.loads(written("sarif"))
    (run_,) = sarif["runs"]
    assert sarif["version"] == "2.1.0"
    assert [rule["id"] for rule in run_["tool"]["driver"]["rules"]] == [rule.code for rule in RULES]
    for result in run_["results"]:
        assert run_["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "pipe%20line.json"
        assert place["region"]["startLine"] >= 1


def test_each_annotation_is_a_command_on_its_own_line() -> None:
    commands = written("github").splitlines()
    assert len(commands) == len(REPORT.findings)
    assert all(line.startswith("::error file=pipe line.json,line=") for line in commands)


def test_text_from_a_definition_cannot_add_lines_to_the_output() -> None:
    hostile = made(
        (("Deploy.Arguments.x", get("Parameters.A")), (".Steps.5", {"Name": "\n::error::x", "Type": "Fail"}))
    )
    report = FindingsReport("a.json", json.dumps(hostile), run(hostile))
    assert not any(line.startswith("::error::") for line in FORMATS["text"](report).splitlines())
    assert not any(line.startswith("::error::") for line in FORMATS["github"](report).splitlines())


def test_lines_are_those_of_the_text() -> None:
    text = '{\n "a": [\n  1,\n  {"b/c": 2}\n ],\n "d": "x,]}"\n}'
    assert line_numbers(text, ["", "/a", "/a/0", "/a/1", "/a/1/b~1c", "/d"]) == {
        "": 1,
        "/a": 2,
        "/a/0": 3,
        "/a/1": 4,
        "/a/1/b~1c": 4,
        "/d": 6,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("Version: 2020", "not JSON but YAML"),
        ("# a pipeline\n---\nSteps:\n- Name: a", "not JSON but YAML"),
        ("hello", "not JSON: "),
        (SOURCE[:5000], "cut off"),
        ("[]", "no list of Steps"),
        ('{"Steps": {}}', "no list of Steps"),
        ("[" * 100_000, "deeper"),
        ('{"Steps": [' + "[" * 200 + "]" * 200 + "]}", "deeper"),
    ],
)
def test_a_text_that_is_not_a_definition_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(NotADefinitionError, match=message) as caught:
        load(text)
    assert "\n" not in str(caught.value)


def test_an_answer_of_describe_pipeline_is_a_definition() -> None:
    assert load(json.dumps({"PipelineDefinition": json.dumps(document())})) == document()


def test_a_prefix_selects_codes() -> None:
    assert {finding.code for finding in run(BROKEN)} > {"REF001"}
    assert {finding.code for finding in run(BROKEN, select=["REF"])} == {"REF001"}
    assert not any(finding.code.startswith("REF") for finding in run(BROKEN, ignore=["REF"]))
    with pytest.raises(UnknownCodeError, match="no rule has a code like FOO"):
        run(BROKEN, select=["FOO"])


def test_a_page_explains_a_rule() -> None:
    assert page("typ002").startswith("TYP002 (types, error): Reference to a value of a wrong type\n\n")
    with pytest.raises(UnknownCodeError):
        page("TYP999")


def test_assert_clean_lists_what_is_wrong() -> None:
    assert_clean(document())
    with pytest.raises(AssertionError, match="REF001 error /Steps/4/Arguments/IfSteps/1/Arguments/x"):
        assert_clean(BROKEN, fail_on=Severity.ERROR)


def test_text_tells_the_same_once_with_all_its_places() -> None:
    gone = [(f"{step}.Arguments.StoppingCondition", GONE) for step in ("Prepare", "Evaluate")]
    broken = made(tuple(gone))
    report = FindingsReport("a.json", json.dumps(broken), run(broken))
    text = FORMATS["text"](report)
    assert text.count("CST004") == 1
    assert "    the same at /Steps/3/Arguments\n" in text
    assert text.endswith("a.json: 2 notes\n")
