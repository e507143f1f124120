"""What the commands tell a user: a mistake is one line on standard error and exit code 2, a bug keeps its traceback.

UsageError      a mistake in how a command was called
"""

from __future__ import annotations

from language.errors import LanguageError
from pipeline.errors import PipelineError


class UsageError(Exception):
    """A command that was asked for what it cannot do."""


MISTAKES = (UsageError, PipelineError, LanguageError)
MISTAKE_EXIT = 2
INTERRUPTED_EXIT = 130
