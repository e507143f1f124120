"""What the commands tell a user: a mistake is one line on standard error and exit code 2, a bug keeps its traceback.

UsageError      a mistake in how a command was called
"""

from __future__ import annotations

from collections.abc import Iterator

from pedigree.account.errors import GivenError, OperationsError
from pedigree.aws.errors import AwsFactsError
from pedigree.checks.errors import ChecksError
from pedigree.iam.errors import PolicyError
from pedigree.language.errors import LanguageError
from pedigree.localaws.kernel.errors import LocalAwsError
from pipeline.errors import PipelineError, SettingsError


class UsageError(Exception):
    """A command that was asked for what it cannot do."""


MISTAKES = (
    UsageError,
    OperationsError,
    PipelineError,
    AwsFactsError,
    LanguageError,
    ChecksError,
    PolicyError,
    LocalAwsError,
)
MISTAKE_EXIT = 2


def told(mistake: Exception) -> Iterator[str]:
    """The lines that tell a mistake: one a problem, whatever stood in the text that was read."""
    problems = mistake.problems if isinstance(mistake, (GivenError, SettingsError)) else (str(mistake),)
    yield from map(printable, problems)


def printable(text: str) -> str:
    """A text with everything shown that a terminal would act on."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
