"""What the rules say of themselves: one page a code, and the list that docs/checks.md has."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill

from pedigree.checks.errors import UnknownCodeError
from pedigree.checks.faults import near
from pedigree.checks.rule import GROUPS
from pedigree.checks.rules import RULES

MARK = "<!-- From here on it is made from the rules: make golden -->\n\n"


def page(code: str) -> str:
    """What a rule looks for, for --explain."""
    found = next((one for one in RULES if one.code == code.upper()), None)
    if found is None:
        hint = near(code.upper(), [one.code for one in RULES]) or "docs/checks.md lists them all"
        raise UnknownCodeError(f"no rule has the code {code}; {hint}")
    body = "\n\n".join(fill(paragraph, 100) for paragraph in found.explanation.split("\n\n") if paragraph)
    return f"{found.code} ({found.group}, {found.severity.word}): {found.title}\n\n{body}\n"


def markdown() -> str:
    """All rules by group, as the manual ends."""
    return MARK + "\n".join(_lines())


def _lines() -> Iterator[str]:
    for prefix, group in GROUPS.items():
        yield f"## {group[0].upper()}{group[1:]}\n"
        for one in RULES:
            if one.code.startswith(prefix):
                yield f"### {one.code} · {one.title}\n"
                yield f"*{one.severity.word}* · {one.explanation}\n"
