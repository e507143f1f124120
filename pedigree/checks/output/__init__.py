"""The output formats of a check: each is a function from a report to a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pedigree.checks.output import as_json, github, sarif, text
from pedigree.checks.output.report import FindingsReport

FORMATS: Mapping[str, Callable[[FindingsReport], str]] = {
    "text": text.render,
    "json": as_json.render,
    "sarif": sarif.render,
    "github": github.render,
}
