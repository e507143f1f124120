"""The findings as text for people: place, cause, fragment and remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pedigree.checks.finding import Finding, Severity
from pedigree.checks.output.report import FindingsReport
from pedigree.language.text import printable


def render(report: FindingsReport) -> str:
    """All findings, then how many there are of each severity."""
    return "".join(f"{line}\n" for line in _lines(report))


def _lines(report: FindingsReport) -> Iterator[str]:
    for finding in report.findings:
        yield from (printable(line) for line in _finding(report, finding))
        yield ""
    counts = Counter(finding.severity for finding in report.findings)
    totals = [
        f"{counts[level]} {level.word}{'s' if counts[level] > 1 else ''}"
        for level in reversed(Severity)
        if counts[level]
    ]
    yield f"{printable(report.name)}: {', '.join(totals) or 'nothing is wrong'}"


def _finding(report: FindingsReport, finding: Finding) -> Iterator[str]:
    step = f" in {finding.step}" if finding.step else ""
    what = f"{finding.severity.word} {finding.code}{step}: {finding.cause}"
    if report.has_lines:
        yield f"{report.name}:{report.line(finding)}: {what}"
        yield f"    {finding.pointer or '/'}"
        yield f"    {report.fragment(finding)}"
    else:
        yield f"{report.name}#{finding.pointer}: {what}"
        yield from (f"    {line}" for line in report.pretty_fragment(finding))
    yield f"    → {finding.remedy}"
