"""The base of every error that a user can correct: its cause and its remedy.

Each package has one tree of errors below Mistake. The command line prints any of them as one line and exits with 2, so
it needs to know no package's own errors; an exception outside this tree is a bug and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable


class Mistake(Exception):  # noqa: N818 - the user's mistake, not the program's error
    """An error that a user can correct: cause and remedy are two members, and str() joins them into one line."""

    def __init__(self, cause: str, remedy: str = "") -> None:
        super().__init__(cause, remedy)
        self.cause = cause
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.cause}; {self.remedy}" if self.remedy else self.cause

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """Itself; several where one command found several."""
        return (self,)


class InvalidValueError(Mistake, ValueError):
    """A value that is not accepted; as a ValueError, also by libraries that validate."""


class Mistakes(Mistake):
    """Several mistakes that were found together: each is a line of its own."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self._mistakes = tuple(mistakes)
        super().__init__("\n".join(map(str, self._mistakes)))
        self.args = (self._mistakes,)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        return self._mistakes
