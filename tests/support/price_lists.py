"""Products as AWS's Pricing API returns them: each is a JSON text."""

from __future__ import annotations

import json
from typing import Any


def product(
    attributes: dict[str, str], usd: str, unit: str = "Hrs", since: str = "2026-08-01T00:00:00Z", **more: Any
) -> str:
    """One product with one price."""
    dimension = {
        "unit": unit,
        "endRange": "Inf",
        "description": "$ per unit",
        "appliesTo": [],
        "rateCode": "SKU.JRTCKXETXF.6YS6EN2CT7",
        "beginRange": "0",
        "pricePerUnit": {"USD": usd},
        **more,
    }
    term = {"priceDimensions": {"SKU.JRTCKXETXF.6YS6EN2CT7": dimension}, "sku": "SKU", "effectiveDate": since}
    return json.dumps(
        {
            "product": {"productFamily": "ML Instance", "attributes": attributes, "sku": "SKU"},
            "serviceCode": "AmazonSageMaker",
            "terms": {"OnDemand": {f"SKU.{since}": {**term, "offerTermCode": "JRTCKXETXF", "termAttributes": {}}}},
            "version": "20260801000000",
            "publicationDate": since,
        }
    )


def instance_price(name: str, component: str, usage: str, usd: str, **more: Any) -> str:
    """The price of an instance type for one use."""
    attributes = {
        "servicecode": "AmazonSageMaker",
        "regionCode": "us-east-1",
        "location": "US East (N. Virginia)",
        "instanceName": name,
        "instanceType": f"{name}-{component}",
        "component": component,
        "platoinstancename": name,
        "platoinstancetype": component,
        "usagetype": f"USE1-{usage}:{name}",
        "operation": "RunInstance",
    }
    return product(attributes, usd, **more)


def provisioned_concurrency_price(group: str, usd: str) -> str:
    """The price of Lambda's provisioned concurrency."""
    attributes = {
        "servicecode": "AWSLambda",
        "regionCode": "us-east-1",
        "group": group,
        "usagetype": "Lambda-Provisioned-Concurrency",
    }
    return product(attributes, usd, unit="Lambda-GB-Second")
