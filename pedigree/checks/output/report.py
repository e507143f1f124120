"""The findings of one definition with its text, from which every format takes lines and fragments."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pedigree.checks.finding import Finding
from pedigree.checks.source_lines import line_numbers
from pedigree.language import pointers
from pedigree.language.text import clip

_LONGEST = 110
_MOST_LINES = 16


@dataclass(frozen=True)
class FindingsReport:
    """The findings in one definition; name says where it was read from, source is its text.

    If a script has made the definition, its text is here, too: a finding is on the line that names its step.
    """

    name: str
    source: str
    findings: Sequence[Finding]
    script: str = ""

    @cached_property
    def document(self) -> Any:
        return json.loads(self.source)

    @cached_property
    def has_lines(self) -> bool:
        """Whether a line's number places a finding; it does not in a definition on one line."""
        return bool(self.script) or "\n" in self.source.strip()

    def line(self, finding: Finding) -> int:
        return self._line_in_script(finding.step) if self.script else self._lines[finding.pointer]

    def fragment(self, finding: Finding) -> str:
        """The part of the definition that a finding is about, on one line."""
        *_, key = ("", *pointers.parts(finding.pointer))
        written = json.dumps(pointers.look_up(self.document, finding.pointer), ensure_ascii=False)
        return clip(f'"{key}": {written}' if key and not key.isdigit() else written, _LONGEST)

    def pretty_fragment(self, finding: Finding) -> Iterator[str]:
        """The same over several lines."""
        *_, key = ("", *pointers.parts(finding.pointer))
        written = json.dumps(pointers.look_up(self.document, finding.pointer), ensure_ascii=False, indent=2)
        lines = (f'"{key}": {written}' if key and not key.isdigit() else written).splitlines()
        yield from (clip(line, _LONGEST) for line in lines[:_MOST_LINES])
        if len(lines) > _MOST_LINES:
            yield f"… and {len(lines) - _MOST_LINES} more lines"

    def _line_in_script(self, step: str) -> int:
        names = (f'"{step}"', f"'{step}'")
        lines = enumerate(self.script.splitlines(), start=1)
        return next((number for number, line in lines if step and any(name in line for name in names)), 1)

    @cached_property
    def _lines(self) -> Mapping[str, int]:
        return line_numbers(self.source, {finding.pointer for finding in self.findings})
