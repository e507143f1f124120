"""The canonical request of Signature Version 4: one spelling for all spellings of the same request.

S3 takes a path as it is. All other services take it without dots and doubled slashes, and encode it once more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, unquote_to_bytes

from pedigree.localaws.http.sigv4.errors import S3
from pedigree.localaws.http.sigv4.parts import RequestParts, pairs

SIGNATURE = "X-Amz-Signature"
_UNRESERVED = "-_.~"
# An encoded slash is part of a name, and no separator.
_ENCODED_SLASH = re.compile("%2F", re.IGNORECASE)


def canonical_request(parts: RequestParts, signed_headers: Sequence[str], payload_hash: str, service: str) -> bytes:
    """What is hashed and signed."""
    lines = (
        parts.method.upper(),
        canonical_path(parts.path, service),
        canonical_query(parts.query),
        *(f"{name}:{' '.join(parts.headers.get(name, '').split())}" for name in signed_headers),
        "",
        ";".join(signed_headers),
        payload_hash,
    )
    # Headers have a character for each byte.
    return "\n".join(lines).encode("latin-1", "replace")


def canonical_path(path: str, service: str) -> str:
    """The path as it is signed."""
    if service == S3:
        names = _ENCODED_SLASH.split(path or "/")
        return "%2F".join(quote(unquote_to_bytes(name), safe=f"/{_UNRESERVED}") for name in names)
    return quote(_normalized(path), safe=f"/{_UNRESERVED}")


def _normalized(path: str) -> str:
    kept: list[str] = []
    for name in path.split("/"):
        if name == "..":
            del kept[-1:]
        elif name not in ("", "."):
            kept.append(name)
    is_folder = bool(kept) and path.endswith("/")
    return f"/{'/'.join(kept)}{'/' if is_folder else ''}"


def canonical_query(query: str) -> str:
    """The query as it is signed: sorted, and without the signature itself."""
    if not query:
        return ""
    encoded = sorted((quote(name, safe=_UNRESERVED), quote(value, safe=_UNRESERVED)) for name, value in pairs(query))
    return "&".join(f"{name}={value}" for name, value in encoded if name != SIGNATURE)
