"""What is wrong with a definition, told in the daemon's log: AWS takes it, and fails at it when it is too late."""

from __future__ import annotations

import json
import logging

from pedigree.checks.errors import UnusableError
from pedigree.checks.finding import Severity
from pedigree.checks.run import run

_LOG = logging.getLogger(__name__)
_MOST = 20


def tell(pipeline: str, definition: str) -> None:
    """A line for each error."""
    try:
        errors = [one for one in run(json.loads(definition)) if one.severity is Severity.ERROR]
    except UnusableError:  # which the service itself refuses, in its own words
        return
    for one in errors[:_MOST]:
        _LOG.warning("pipeline %s: %s", pipeline, one)
    if len(errors) > _MOST:
        _LOG.warning("pipeline %s: and %d more errors; pedigree check shows them", pipeline, len(errors) - _MOST)
