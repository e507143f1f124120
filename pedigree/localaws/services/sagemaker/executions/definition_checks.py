"""Logs what `pedigree check` finds wrong with a definition.

AWS accepts such a definition and fails only when the step runs, so the local AWS does too, but says so at once.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from functools import lru_cache

from pedigree.checks.errors import NotADefinitionError
from pedigree.checks.finding import Finding, Severity
from pedigree.checks.run import run

_LOG = logging.getLogger(__name__)
_MOST = 20


def log_errors(pipeline: str, definition: str) -> None:
    """Log a line for each error."""
    errors = _errors(definition)
    for error in errors[:_MOST]:
        _LOG.warning("pipeline %s: %s", pipeline, error)
    if len(errors) > _MOST:
        _LOG.warning("pipeline %s: and %d more errors; pedigree check shows them", pipeline, len(errors) - _MOST)


@lru_cache(maxsize=32)
def _errors(definition: str) -> Sequence[Finding]:
    """The errors in a definition, which is checked when it is created and again whenever it is started."""
    try:
        return [finding for finding in run(json.loads(definition)) if finding.severity is Severity.ERROR]
    except NotADefinitionError:  # the service itself refuses it, in its own words
        return []
