"""The errors of settings.

InvalidSettingError   one setting, file or variable that is wrong
SettingsError         every InvalidSettingError that was found, each a line
"""

from __future__ import annotations

from pedigree.errors import Mistake, Mistakes


class InvalidSettingError(Mistake):
    """A setting, a file or a variable that is wrong: its place, what is wrong, and what to do."""

    def __init__(self, place: str, cause: str, remedy: str) -> None:
        super().__init__(cause, remedy)
        self.args = (place, cause, remedy)
        self.place = place

    def __str__(self) -> str:
        return f"{self.place}: {super().__str__()}"


class SettingsError(Mistakes):
    """Settings with one or more mistakes."""
