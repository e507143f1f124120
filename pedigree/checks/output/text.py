"""The findings as text for people: place, cause, fragment and remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from pedigree.checks.finding import Finding, Severity
from pedigree.checks.output.report import FindingsReport
from pedigree.language.text import printable

_MOST_PLACES = 3


def render(report: FindingsReport) -> str:
    """All findings, the same in several places once; then how many there are of each severity."""
    return "".join(f"{line}\n" for line in _lines(report))


def _lines(report: FindingsReport) -> Iterator[str]:
    alike: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in report.findings:
        alike.setdefault((finding.code, finding.cause, finding.remedy), []).append(finding)
    for first, *others in alike.values():
        yield from (printable(line) for line in (*_finding(report, first), *_places(others)))
        yield ""
    counts = Counter(finding.severity for finding in report.findings)
    totals = [
        f"{counts[level]} {level.word}{'s' if counts[level] > 1 else ''}"
        for level in reversed(Severity)
        if counts[level]
    ]
    yield f"{printable(report.name)}: {', '.join(totals) or 'nothing is wrong'}"


def _places(findings: Sequence[Finding]) -> Iterator[str]:
    """Where the same is found, too."""
    if findings:
        named = [finding.pointer for finding in findings[:_MOST_PLACES]]
        more = len(findings) - len(named)
        yield f"    the same at {', '.join(named)}{f' and in {more} more places' if more else ''}"


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
