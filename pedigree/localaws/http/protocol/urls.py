"""Decodes what a request's URL says. Bytes that are no UTF-8 are refused: their replacements would name something else.

Names are not normalized: as on AWS, two spellings of ä are two keys.
"""

from __future__ import annotations

from urllib.parse import parse_qs, unquote

from pedigree.localaws.http.protocol.errors import ServiceError


def utf8(text: str) -> str:
    """A text of WSGI, which has a character for each byte; bytes that are no UTF-8 become surrogates."""
    return text.encode("latin-1").decode("utf-8", "surrogateescape")


def decoded(text: str) -> str:
    """A text without percent-encodings; ServiceError if it is no UTF-8."""
    try:
        found = unquote(text, errors="strict")
        found.encode()
    except UnicodeError:
        raise _unreadable() from None
    return found


def check_query(text: str) -> None:
    """Refuse a query that is no UTF-8."""
    try:
        parse_qs(text.encode().decode(), keep_blank_values=True, errors="strict")
    except UnicodeError:
        raise _unreadable() from None


def _unreadable() -> ServiceError:
    return ServiceError("InvalidURI", "Couldn't parse the specified URI.")
