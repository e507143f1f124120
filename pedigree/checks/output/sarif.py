"""For code scanning: SARIF 2.1.0."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from pedigree.checks.finding import Finding
from pedigree.checks.output.report import Report
from pedigree.checks.rules import RULES

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(report: Report) -> str:
    """One run with all rules, and a result for each finding."""
    numbers = {one.code: number for number, one in enumerate(RULES)}
    rules = [
        {
            "id": one.code,
            "shortDescription": {"text": one.title},
            "fullDescription": {"text": one.explanation or one.title},
            "defaultConfiguration": {"level": one.severity.word},
        }
        for one in RULES
    ]
    run = {
        "tool": {"driver": {"name": "pedigree", "rules": rules}},
        "results": [_result(report, one, numbers[one.code]) for one in report.findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _result(report: Report, finding: Finding, number: int) -> dict[str, Any]:
    place = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(report.name)},
            "region": {"startLine": report.line(finding)},
        },
        "logicalLocations": [{"fullyQualifiedName": finding.pointer or "/"}],
    }
    return {
        "ruleId": finding.code,
        "ruleIndex": number,
        "level": finding.severity.word,
        "message": {"text": f"{finding.cause}; {finding.remedy}"},
        "locations": [place],
    }
