"""Lints policies with parliament, and looks up which actions exist.

Importing parliament raises warnings (pkg_resources, unclosed files, old escapes in patterns), and this project turns
warnings into errors. So only this module imports it, with warnings ignored.
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
    """An issue, and what it is about."""

    issue: str
    detail: str


def findings(document: Mapping[str, Any]) -> list[Finding]:
    """Parliament's findings about an identity policy."""
    found = parliament.analyze_policy_string(json.dumps(document)).findings
    return [Finding(str(finding.issue), str(finding.detail)) for finding in found]


def is_action(action: str) -> bool:
    """Whether IAM has an action of this name."""
    return bool(parliament.expand_action(action, raise_exceptions=False))
