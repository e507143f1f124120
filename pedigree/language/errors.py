"""What can be wrong with a text that should be a pipeline definition.

LanguageError           everything below; its message is for the user: cause and remedy
├─ DefinitionError      the document is no definition at all
├─ ExpressionError      an expression that the service would not understand
└─ UnresolvedError      a reference that leads nowhere
"""

from __future__ import annotations

from pedigree.errors import Mistake


class LanguageError(Mistake):
    """Something that is not of the definition language."""


class DefinitionError(LanguageError):
    """A document that is no pipeline definition."""


class ExpressionError(LanguageError):
    """An expression that is none."""


class UnresolvedError(LanguageError):
    """A reference that leads nowhere."""
