"""What can be wrong before a definition exists.

PipelineError      everything below; its message is for the user: cause and remedy, one line a problem
└─ SettingsError   settings that cannot be read, or say what cannot be
"""

from __future__ import annotations

from collections.abc import Sequence

from pedigree.errors import Mistake, Mistakes


class PipelineError(Mistake):
    """A definition that cannot be built, for a reason that a user can mend."""


class SettingsError(Mistakes, PipelineError):
    """Settings that do not hold; one problem a line."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(map(Mistake, problems))
        self.problems = tuple(problems)
