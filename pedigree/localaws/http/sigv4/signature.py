"""Reads the signature of a request: Signature Version 4 in the Authorization header or in the query."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from pedigree.localaws.http.sigv4 import errors
from pedigree.localaws.http.sigv4.parts import RequestParts

ALGORITHM = "AWS4-HMAC-SHA256"
_WEEK_SECONDS = 604_800
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII)
_CREDENTIAL = re.compile(r"(.+)/(\d{8})/([^/\s]+)/([^/\s]+)/aws4_request", re.ASCII)
_MEMBERS = ("Credential", "Signature", "SignedHeaders")


@dataclass(frozen=True)
class CredentialScope:
    """What a signing key is for."""

    date: str
    region: str
    service: str

    def __str__(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


@dataclass(frozen=True)
class Signature:
    """A signature, and what it was made with; `expires` is the lifetime in seconds of a presigned request."""

    key_id: str
    scope: CredentialScope
    signed_headers: tuple[str, ...]
    value: str
    time: str
    token: str = ""
    expires: int | None = None

    @property
    def timestamp(self) -> float:
        """The time at which it was signed."""
        return parsed_time(self.time)


def parsed_time(text: str) -> float:
    """A time in the basic format of ISO 8601; ValueError if it is none."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text} is no time")
    return dt.datetime(*map(int, match.groups()), tzinfo=dt.timezone.utc).timestamp()  # type: ignore[misc,arg-type]


def written_time(timestamp: float) -> str:
    """A time as signatures have it."""
    return f"{dt.datetime.fromtimestamp(timestamp, dt.timezone.utc):%Y%m%dT%H%M%SZ}"


def from_header(parts: RequestParts) -> Signature:
    """The signature in the Authorization header."""
    header = parts.headers["authorization"]
    words = (piece.strip().partition("=") for piece in header.removeprefix(ALGORITHM).split(","))
    members = {name: value for name, _, value in words}
    lacking = [f"Authorization header requires '{name}' parameter." for name in _MEMBERS if not members.get(name)]
    if lacking:
        raise errors.malformed(f"{' '.join(lacking)} Authorization={ALGORITHM}")
    key_id, scope = credential(members["Credential"])
    return Signature(
        key_id,
        scope,
        _header_names(members["SignedHeaders"]),
        members["Signature"],
        _header_time(parts.headers),
        parts.headers.get("x-amz-security-token", ""),
    )


def from_query(parts: RequestParts) -> Signature:
    """The signature in the query of a presigned request."""
    given = parts.parameters
    if given["X-Amz-Algorithm"] != ALGORITHM:
        raise errors.malformed_query(f'X-Amz-Algorithm only supports "{ALGORITHM}"')
    lacking = [name for name in _MEMBERS if not given.get(f"X-Amz-{name}")]
    if lacking or not given.get("X-Amz-Date"):
        names = "X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires"
        raise errors.malformed_query(f"Query-string authentication version 4 requires the {names} parameters.")
    key_id, scope = _query_credential(given["X-Amz-Credential"])
    return Signature(
        key_id,
        scope,
        _header_names(given["X-Amz-SignedHeaders"]),
        given["X-Amz-Signature"],
        checked_time(given["X-Amz-Date"]),
        given.get("X-Amz-Security-Token", ""),
        _lifetime(given.get("X-Amz-Expires", "")),
    )


def _query_credential(text: str) -> tuple[str, CredentialScope]:
    try:
        return credential(text)
    except errors.SignatureError as error:
        words = f"Error parsing the X-Amz-Credential parameter; {error.message}"
        raise errors.malformed_query(words) from None


def credential(text: str) -> tuple[str, CredentialScope]:
    """The key and the scope in a credential; ServiceError if it is none."""
    match = _CREDENTIAL.fullmatch(text)
    if match is None:
        form = "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request"
        raise errors.malformed(f'the Credential is mal-formed; expecting "{form}".')
    key_id, *scope = match.groups()
    return key_id, CredentialScope(*scope)


def _header_names(text: str) -> tuple[str, ...]:
    return tuple(sorted({name.strip().lower() for name in text.split(";")}))


def _header_time(headers: Mapping[str, str]) -> str:
    if "x-amz-date" in headers:
        return checked_time(headers["x-amz-date"])
    if "date" not in headers:
        raise errors.malformed("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    try:
        return written_time(parsedate_to_datetime(headers["date"]).timestamp())
    except (ValueError, TypeError, OverflowError):
        return checked_time(headers["date"])


def checked_time(text: str) -> str:
    """A time as it came; ServiceError if it is none."""
    try:
        parsed_time(text)
    except ValueError:
        form = "Date must be in ISO-8601 'basic format'"
        raise errors.malformed(f"{form}. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601") from None
    return text


def _lifetime(text: str) -> int:
    """The lifetime of a presigned request: up to a week."""
    if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) < len(str(10**18))):
        raise errors.malformed_query("X-Amz-Expires should be a number")
    seconds = int(text)
    if seconds < 0:
        raise errors.malformed_query("X-Amz-Expires must be non-negative")
    if seconds > _WEEK_SECONDS:
        raise errors.malformed_query(f"X-Amz-Expires must be less than a week (in seconds) that is {_WEEK_SECONDS}")
    return seconds
