"""A line of a training job's log as CloudWatch Logs has it: control characters are written by their octal numbers.

So a tab is #011 there, and the return of a progress bar #015. Metrics are read from such lines, and the expressions of
AWS's own algorithms look for #011.
"""

from __future__ import annotations

_WRITTEN = {code: f"#{code:03o}" for code in (*range(0x20), 0x7F)}


def as_logged(line: str) -> str:
    """The line with control characters written out."""
    return line.translate(_WRITTEN)
