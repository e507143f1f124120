"""The standard library's TOML parser, or the same parser from PyPI for Python 3.10, which lacks it."""

from __future__ import annotations

import sys

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["tomllib"]
