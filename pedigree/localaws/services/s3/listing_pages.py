"""What the lists of S3 have in common: their pages, the encoding of keys, and how times are written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from urllib.parse import quote

from pedigree.localaws.http.exchange import Exchange
from pedigree.localaws.http.protocol.s3_errors import bad_argument

_MOST = 1000


def page_size(exchange: Exchange, name: str) -> int:
    """How many entries a page has at most; InvalidArgument for what is no such number."""
    text = exchange.args.get(name)
    if text is None or (not text and name != "max-keys"):
        return _MOST
    if not text.isdecimal() or int(text) >= 1 << 31:
        words = "Provided max-keys not an integer or within integer range"
        if name != "max-keys":
            words = f"Argument {name} must be an integer between 0 and 2147483647"
        raise bad_argument(name, text, words)
    return min(int(text), _MOST)


def encoder(exchange: Exchange) -> Callable[[str], str]:
    """How keys are written; InvalidArgument for an encoding that S3 does not know."""
    wanted = exchange.args.get("encoding-type")
    if wanted not in (None, "url"):
        raise bad_argument("encoding-type", wanted or "", "Invalid Encoding Method specified in Request")
    return _quoted if wanted else str


def _quoted(key: str) -> str:
    return quote(key, safe="/*-._").replace("%20", "+")


def times(text: str) -> str:
    """A moment as lists have it, to the second."""
    moment = dt.datetime.fromisoformat(text).astimezone(dt.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
