"""What the formats write: findings, and the text in which they lie."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pedigree.checks.finding import Finding
from pedigree.checks.places import lines

_LONGEST = 110


@dataclass(frozen=True)
class Report:
    """The findings in one definition; name is where it was read from, source its text."""

    name: str
    source: str
    findings: Sequence[Finding]

    @cached_property
    def document(self) -> Any:
        """The definition as JSON."""
        return json.loads(self.source)

    def line(self, finding: Finding) -> int:
        """The line of a finding."""
        return self._lines[finding.pointer]

    def fragment(self, finding: Finding) -> str:
        """The offending part of the definition, on one line."""
        value, key = self.document, ""
        for part in finding.pointer.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            value = _inside(value, key)
        written = json.dumps(value, ensure_ascii=False)
        whole = f'"{key}": {written}' if key and not key.isdigit() else written
        return whole if len(whole) <= _LONGEST else f"{whole[: _LONGEST - 1]}…"

    @cached_property
    def _lines(self) -> Mapping[str, int]:
        return lines(self.source, {one.pointer for one in self.findings})


def one_line(text: str) -> str:
    """A text that cannot break out of its line, whatever stood in the definition."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _inside(value: Any, key: str) -> Any:
    if isinstance(value, list):
        return value[int(key)] if key.isdigit() and int(key) < len(value) else None
    return value.get(key) if isinstance(value, dict) else None
