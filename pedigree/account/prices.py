"""The prices of machines: dated tables of the package, and on top of them what the Pricing API gave later.

All are documents of one form: a date, a source, and for each region prices by use and instance type. The use
"machines" stands for all of Processing, Training and Hosting. What no table has is unknown, and never guessed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pedigree.account.errors import PricesError
from pedigree.toml import tomllib

Use = Literal["Processing", "Training", "Hosting", "warm"]
TABLE = Path(__file__).with_name("prices.toml")
_ANY_MACHINE = "machines"
_USES = ("Processing", "Training", "Hosting", "warm", _ANY_MACHINE)


@dataclass(frozen=True)
class Price:
    """An amount in USD, its date and its source."""

    amount: float
    date: str
    source: str


@dataclass(frozen=True)
class Prices:
    """Prices by region, use and name."""

    by_use: Mapping[tuple[str, str, str], Price] = field(default_factory=dict)

    def find(self, region: str, use: Use, name: str) -> Price | None:
        """The price, or None."""
        return self.by_use.get((region, use, name)) or self.by_use.get((region, _ANY_MACHINE, name))

    def elsewhere(self, use: Use, name: str) -> Iterator[tuple[str, Price]]:
        """The prices of the same thing in other regions."""
        for region in sorted({region for region, *_ in self.by_use}):
            price = self.find(region, use, name)
            if price:
                yield region, price

    def sources(self, region: str) -> tuple[str, ...]:
        """The sources of a region's prices."""
        sources = {f"{price.source}, {price.date}" for (where, *_), price in self.by_use.items() if where == region}
        return tuple(sorted(sources))

    def below(self, later: Prices) -> Prices:
        """These, with later ones on top."""
        return Prices({**self.by_use, **later.by_use})


@cache
def of_the_package() -> Prices:
    """The tables that come with the package."""
    prices = Prices()
    for table in tomllib.loads(TABLE.read_text(encoding="utf-8"))["tables"]:
        prices = prices.below(read(table))
    return prices


def parse(text: str) -> Prices:
    """Reads a table from JSON; raises PricesError if it is not one."""
    try:
        return read(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise PricesError(f"this is no table of prices ({type(error).__name__}: {error})") from None


def read(document: Mapping[str, Any]) -> Prices:
    """The prices in a document."""
    date, source = str(document["date"]), str(document["source"])
    return Prices(
        {
            (region, use, name): Price(_amount(amount), date, source)
            for region, uses in document["regions"].items()
            for use, prices in uses.items()
            if use in _USES
            for name, amount in prices.items()
        }
    )


def _amount(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e6:
        raise ValueError(f"{value!r} is no price")
    return float(value)
