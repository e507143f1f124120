"""The findings as workflow commands of GitHub, which become annotations of the changed lines."""

from __future__ import annotations

from pedigree.checks.finding import Finding, Severity
from pedigree.checks.output.report import FindingsReport

_WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(report: FindingsReport) -> str:
    """One command for each finding."""
    return "".join(f"{_command(report, finding)}\n" for finding in report.findings)


def _command(report: FindingsReport, finding: Finding) -> str:
    title = f"{finding.code} {finding.step}".strip()
    properties = f"file={_property(report.name)},line={report.line(finding)},title={_property(title)}"
    place = "" if report.has_lines else f"{finding.pointer or '/'}: "
    return f"::{_WORDS[finding.severity]} {properties}::{_data(f'{place}{finding.cause}; {finding.remedy}')}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
