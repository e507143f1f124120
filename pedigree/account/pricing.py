"""Reads prices from AWS's Pricing API.

A product is known by its usage type (USE1-Train:ml.g5.xlarge), which says what a machine is used for; free tiers,
Studio and other uses of the same instance type are left out. The API exists in few regions, and has the prices of all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pedigree.account.account import Account
from pedigree.account.errors import PricesError

SOURCE = "AWS's Pricing API"
_USAGE = re.compile(r"(?:^|-)(Train|Host|Processing):(ml\.[a-z0-9.-]+)$")
_USES = {"Train": "Training", "Host": "Hosting", "Processing": "Processing"}
_WARM_GROUPS = {"arm64": "AWS-Lambda-Provisioned-Concurrency-ARM", "x86_64": "AWS-Lambda-Provisioned-Concurrency"}
_MACHINE_UNITS, _WARM_UNITS = ("Hrs", "Hours"), ("Lambda-GB-Second", "Second")


def refreshed(account: Account, region: str, machines: Collection[str]) -> dict[str, Any]:
    """A document of the prices in a region, for these machines and for functions that are kept warm."""
    uses: dict[str, dict[str, float]] = {}
    for machine in sorted(machines):
        for product in _products(account, "AmazonSageMaker", regionCode=region, instanceName=machine):
            usage = _USAGE.search(product["product"]["attributes"].get("usagetype", ""))
            price = _newest(product, _MACHINE_UNITS)
            if usage and usage[2] == machine and price:
                uses.setdefault(_USES[usage[1]], {})[machine] = price
    for architecture, group in _WARM_GROUPS.items():
        for product in _products(account, "AWSLambda", regionCode=region, group=group):
            price = _newest(product, _WARM_UNITS)
            if price:
                uses.setdefault("warm", {})[architecture] = price
    if not uses:
        raise PricesError(
            f"{SOURCE} knows no prices for {region}", "the table of the package is used without --refresh"
        )
    return {"date": f"{account.clock.now():%Y-%m-%d}", "source": SOURCE, "regions": {region: uses}}


def _products(account: Account, service: str, **attributes: str) -> Iterator[Mapping[str, Any]]:
    filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in attributes.items()]
    query = {"ServiceCode": service, "Filters": filters, "FormatVersion": "aws_v1"}
    for item in account.each("pricing", "get_products", "PriceList", **query):
        yield json.loads(item) if isinstance(item, str) else item


def _newest(product: Mapping[str, Any], units: Collection[str]) -> float:
    """The latest price on demand for a unit, of the first tier; 0 where there is none."""
    terms = sorted(
        product.get("terms", {}).get("OnDemand", {}).values(), key=lambda term: str(term.get("effectiveDate"))
    )
    prices = [
        float(dimension.get("pricePerUnit", {}).get("USD", 0))
        for term in terms
        for dimension in term.get("priceDimensions", {}).values()
        if dimension.get("unit") in units and float(dimension.get("beginRange", 0) or 0) == 0
    ]
    return next((price for price in reversed(prices) if price > 0), 0.0)
