"""For people: place, cause, the fragment and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pedigree.checks.finding import Finding, Severity
from pedigree.checks.output.report import Report, one_line


def render(report: Report) -> str:
    """All findings, and how many there are."""
    return "".join(f"{line}\n" for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    for finding in report.findings:
        yield from (one_line(line) for line in _told(report, finding))
        yield ""
    counts = Counter(finding.severity for finding in report.findings)
    told = [f"{counts[one]} {one.word}{'s' if counts[one] > 1 else ''}" for one in reversed(Severity) if counts[one]]
    yield f"{one_line(report.name)}: {', '.join(told) or 'nothing is wrong'}"


def _told(report: Report, finding: Finding) -> Iterator[str]:
    whose = f" in {finding.step}" if finding.step else ""
    yield f"{report.name}:{report.line(finding)}: {finding.severity.word} {finding.code}{whose}: {finding.cause}"
    yield f"    {finding.pointer or '/'}"
    yield f"    {report.fragment(finding)}"
    yield f"    → {finding.remedy}"
