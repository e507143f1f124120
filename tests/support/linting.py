"""What parliament, a linter of policies, finds in a document; and which actions it knows.

It brings warnings of its own to its import (an old way to find its files, files left open, old escapes in patterns),
and this project takes warnings for errors: so it is imported here, in silence, and nowhere else.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import parliament


@dataclass(frozen=True)
class Finding:
    """What is wrong, and with what."""

    issue: str
    detail: str


def findings(document: Mapping[str, Any]) -> list[Finding]:
    """Everything that parliament has to say about a policy of an identity."""
    found = parliament.analyze_policy_string(json.dumps(document)).findings
    return [Finding(str(one.issue), str(one.detail)) for one in found]


def is_action(action: str) -> bool:
    """Whether IAM has an action of this name."""
    return bool(parliament.expand_action(action, raise_exceptions=False))
