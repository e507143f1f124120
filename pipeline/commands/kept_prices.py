"""Keeps the prices that AWS gave in the user's cache: one file per region."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pedigree.cli import files, printing
from pedigree.cli.errors import UsageError

if TYPE_CHECKING:
    from pedigree.account.prices import Prices


def read(region: str) -> Prices:
    """The prices that are kept for a region, or none."""
    from pedigree.account.errors import PricesError
    from pedigree.account.prices import Prices, parse

    path = _path(region)
    if not path.is_file():
        return Prices()
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (PricesError, OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}", "remove it, or ask anew with `pedigree cost --refresh`") from None


def write(document: Mapping[str, Any], region: str) -> None:
    """Keep prices for the next time."""
    path = _path(region)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{path.parent} cannot be made: {error.strerror}", "set XDG_CACHE_HOME to another") from None
    files.write(json.dumps(document, indent=2) + "\n", path)
    printing.remark(f"prices are kept in {path}")


def _path(region: str) -> Path:
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "pedigree" / f"prices-{region}.json"
