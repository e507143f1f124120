"""Checks a definition before it is put into an account."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pedigree.cli import printing
from pedigree.cli.errors import UsageError

if TYPE_CHECKING:
    from pedigree.checks.ignoring import Ignored
    from pipeline.settings.tree import Settings


def demand(definition: str, ignored: Sequence[Ignored]) -> None:
    """Raises UsageError if the definition has errors, after printing them."""
    from pedigree.checks.archives import sources
    from pedigree.checks.evidence import Evidence
    from pedigree.checks.finding import Severity
    from pedigree.checks.ignoring import without
    from pedigree.checks.run import run
    from pipeline.source import scripts_folder

    findings = run(json.loads(definition), Evidence(scripts=sources(scripts_folder())))
    errors = [finding for finding in without(findings, ignored)[0] if finding.severity is Severity.ERROR]
    for error in errors:
        printing.remark(str(error))
    if errors:
        count = "an error" if len(errors) == 1 else f"{len(errors)} errors"
        raise UsageError(
            f"the definition has {count}, and nothing has been changed",
            "see more with `pedigree check`, or `pedigree check --explain CODE`",
        )


def ignored(settings: Settings) -> list[Ignored]:
    """The findings that the settings ignore."""
    from pedigree.checks.ignoring import Ignored
    from pedigree.checks.run import chosen

    chosen([ignored.code for ignored in settings.checks.ignore], ())
    return [Ignored(ignored.code, ignored.reason, ignored.step) for ignored in settings.checks.ignore]
