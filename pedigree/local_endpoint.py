"""Whether this environment is that of a local AWS: `pedigree local up` and `make VERB LOCAL=1` say so.

Commands then use that one address for every service, whatever else is configured; pedigree/account/connect.py holds it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

VARIABLE = "PEDIGREE_LOCAL"
ENDPOINT = "AWS_ENDPOINT_URL"


def is_local(environ: Mapping[str, str]) -> bool:
    """Whether commands are asked of a local AWS."""
    return bool(environ.get(VARIABLE)) or is_loopback(environ.get(ENDPOINT, ""))


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
