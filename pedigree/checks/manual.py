"""The manual pages of the rules: one page a code for --explain, and the list in docs/checks.md."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill

from pedigree.checks.errors import UnknownCodeError
from pedigree.checks.rule import GROUPS
from pedigree.checks.rules import RULES
from pedigree.language.near import did_you_mean

MARK = "<!-- From here on it is made from the rules: make golden -->\n\n"
_WIDTH = 100


def page(code: str) -> str:
    """The page of one rule."""
    wanted = next((rule for rule in RULES if rule.code == code.upper()), None)
    if wanted is None:
        hint = did_you_mean(code.upper(), [rule.code for rule in RULES]) or "docs/checks.md lists all codes"
        raise UnknownCodeError(f"no rule has the code {code}", hint)
    body = "\n\n".join(fill(paragraph, _WIDTH) for paragraph in wanted.explanation.split("\n\n") if paragraph)
    return f"{wanted.code} ({wanted.group}, {wanted.severity.word}): {wanted.title}\n\n{body}\n"


def markdown() -> str:
    """All rules by group, as docs/checks.md ends."""
    return MARK + "\n".join(_lines())


def _lines() -> Iterator[str]:
    for prefix, group in GROUPS.items():
        yield f"## {group[0].upper()}{group[1:]}\n"
        for rule in RULES:
            if rule.code.startswith(prefix):
                yield f"### {rule.code} · {rule.title}\n"
                yield f"*{rule.severity.word}* · {rule.explanation}\n"
