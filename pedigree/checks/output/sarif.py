"""The findings as SARIF 2.1.0, for code scanning."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from pedigree.checks.finding import Finding
from pedigree.checks.output.report import FindingsReport
from pedigree.checks.rules import RULES

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(report: FindingsReport) -> str:
    """One run with all rules, and one result for each finding."""
    index_of = {rule.code: index for index, rule in enumerate(RULES)}
    rules = [
        {
            "id": rule.code,
            "shortDescription": {"text": rule.title},
            "fullDescription": {"text": rule.explanation or rule.title},
            "defaultConfiguration": {"level": rule.severity.word},
        }
        for rule in RULES
    ]
    run = {
        "tool": {"driver": {"name": "pedigree", "rules": rules}},
        "results": [_result(report, finding, index_of[finding.code]) for finding in report.findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _result(report: FindingsReport, finding: Finding, rule_index: int) -> dict[str, Any]:
    location = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(report.name)},
            "region": {"startLine": report.line(finding)},
        },
        "logicalLocations": [{"fullyQualifiedName": finding.pointer or "/"}],
    }
    return {
        "ruleId": finding.code,
        "ruleIndex": rule_index,
        "level": finding.severity.word,
        "message": {"text": f"{finding.cause}; {finding.remedy}"},
        "locations": [location],
    }
