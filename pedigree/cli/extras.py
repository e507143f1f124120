"""Names the extra that a verb needs and that is not installed, in one line instead of a traceback."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from pedigree.cli.errors import UsageError

# The modules that each extra of setup.cfg brings and that are imported first.
MODULES: Mapping[str, tuple[str, ...]] = {
    "account": ("boto3",),
    "local": ("boto3", "cheroot", "jsonschema", "moto", "optuna", "werkzeug"),
}


def demand(extra: str) -> None:
    """Raises UsageError if a module of the extra is not installed."""
    missing = next((module for module in MODULES[extra] if find_spec(module) is None), None)
    if missing:
        raise UsageError(f"this needs {missing}, which is not installed", f"pip install 'pedigree[{extra}]'")
