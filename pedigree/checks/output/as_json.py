"""The findings as JSON, for programs."""

from __future__ import annotations

import json

from pedigree.checks.output.report import FindingsReport


def render(report: FindingsReport) -> str:
    """One object for each finding, in the order of the text format."""
    findings = [
        {
            "code": finding.code,
            "severity": finding.severity.word,
            "pointer": finding.pointer,
            "line": report.line(finding),
            "step": finding.step,
            "cause": finding.cause,
            "remedy": finding.remedy,
        }
        for finding in report.findings
    ]
    return json.dumps({"definition": report.name, "findings": findings}, indent=2, ensure_ascii=False) + "\n"
