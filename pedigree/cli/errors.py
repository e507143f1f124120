"""How commands report a mistake: one line on standard error and exit code 2. A bug keeps its traceback.

UsageError      a mistake in how a command was called
"""

from __future__ import annotations

from collections.abc import Iterator

from pedigree.errors import Mistake
from pedigree.language.text import printable

MISTAKE_EXIT = 2


class UsageError(Mistake):
    """A command was called in a way that cannot work."""


def error_lines(mistake: Mistake) -> Iterator[str]:
    """One line for each mistake, safe to print even if the input has control characters."""
    return (printable(str(each)) for each in mistake.mistakes)
