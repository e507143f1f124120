"""The errors of definitions that cannot be read.

LanguageError           the base
├─ DefinitionError      a document that is no definition
├─ ExpressionError      an expression that the service does not understand
└─ UnresolvedError      a reference that leads nowhere
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from pedigree.errors import Mistake

Missing: TypeAlias = Literal[
    "step",
    "parameter",
    "variable",
    "property file",
    "property file output",
    "output",
    "tuned",
    "entry",
    "path",
]
"""What a reference that leads nowhere lacks."""


class LanguageError(Mistake):
    """A definition, or a part of one, cannot be read."""


class DefinitionError(LanguageError):
    """A document is not a pipeline definition."""


class ExpressionError(LanguageError):
    """An expression or a condition is malformed."""


class UnresolvedError(LanguageError):
    """A reference leads nowhere."""

    def __init__(self, cause: str, remedy: str = "", *, missing: Missing = "path") -> None:
        super().__init__(cause, remedy)
        self.missing: Missing = missing
