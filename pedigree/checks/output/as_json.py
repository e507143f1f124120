"""For programs: the findings as a list."""

from __future__ import annotations

import json

from pedigree.checks.output.report import Report


def render(report: Report) -> str:
    """One object a finding, in the order of the text."""
    findings = [
        {
            "code": one.code,
            "severity": one.severity.word,
            "pointer": one.pointer,
            "line": report.line(one),
            "step": one.step,
            "cause": one.cause,
            "remedy": one.remedy,
        }
        for one in report.findings
    ]
    return json.dumps({"definition": report.name, "findings": findings}, indent=2, ensure_ascii=False) + "\n"
