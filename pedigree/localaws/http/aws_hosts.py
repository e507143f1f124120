"""The host names of AWS: which names are AWS's, and which bucket a name of S3 begins with."""

from __future__ import annotations

import re

DOMAINS = (
    *("amazonaws.com", "amazonaws.com.cn", "amazonaws.eu"),
    *("api.aws", "api.amazonwebservices.com.cn", "on.aws"),
)
"""Where AWS's services have their names: all partitions that the SDKs know publicly."""
# A bucket's name may have dots. Regions have a hyphen and a digit, so a bucket called "s3" is none of them.
_S3 = re.compile(
    r"(?:(?P<bucket>.+?)\.)?s3(?:-accelerate|-fips|-external-1)?(?:\.dualstack)?(?:[.-][a-z]{2,}(?:-[a-z]+)+-\d)?\Z"
)


def is_aws(host: str) -> bool:
    """Whether a host belongs to AWS; a port may follow the name."""
    return _service_part(host) is not None


def s3_bucket(host: str) -> str | None:
    """The bucket that a host of S3 names; empty where the path names it, None for a host that is not S3's."""
    name = _service_part(host)
    match = _S3.match(name) if name else None
    return (match["bucket"] or "") if match else None


def _service_part(host: str) -> str | None:
    """A host's name without AWS's domain, None if it is in none of AWS's."""
    name = re.sub(r":\d{1,5}\Z", "", host).lower().removesuffix(".")
    domain = next((domain for domain in DOMAINS if name.endswith(f".{domain}")), None)
    return name.removesuffix(f".{domain}") if domain else None
