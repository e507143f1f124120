"""The errors of signatures in AWS's words; S3 has words and codes of its own.

Codes are those of the query protocol; each service's error form translates them (http/protocol/error_forms.py).
"""

from __future__ import annotations

import datetime as dt

from pedigree.localaws.http.protocol.errors import ServiceError

S3 = "s3"
_MISMATCH = "The request signature we calculated does not match the signature you provided. Check your "


class SignatureError(ServiceError):
    """A signature that is missing, malformed, too old or wrong."""

    def __init__(self, code: str, message: str, status: int = 403) -> None:
        super().__init__(code, message, status)


def anonymous() -> SignatureError:
    """S3's word for an unsigned request: on AWS a bucket may be public, here none is."""
    return SignatureError("AccessDenied", "Access Denied")


def missing() -> SignatureError:
    """A request without a signature."""
    return SignatureError("MissingAuthenticationToken", "Request is missing Authentication Token")


def malformed(message: str) -> SignatureError:
    """An Authorization header, or a part of it, that cannot be read."""
    return SignatureError("IncompleteSignature", message, 400)


def malformed_query(message: str) -> SignatureError:
    """A presigned request whose parameters are not those of a signature."""
    return SignatureError("AuthorizationQueryParametersError", message, 400)


def several_mechanisms() -> SignatureError:
    """A request that is signed in its header and in its query."""
    words = "the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header"
    return SignatureError("InvalidArgument", f"Only one auth mechanism allowed; only {words} should be specified", 400)


def unsupported_mechanism() -> SignatureError:
    """An Authorization header of another kind."""
    words = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
    return SignatureError("InvalidRequest", words, 400)


def mismatch() -> SignatureError:
    """A signature that the secret does not make for this request."""
    rest = "AWS Secret Access Key and signing method. Consult the service documentation for details."
    return SignatureError("SignatureDoesNotMatch", _MISMATCH + rest)


def mismatch_for_s3(key_id: str, value: str, signed: str, canonical: bytes = b"") -> SignatureError:
    """A signature of S3 that the secret does not make; the error says what should have been signed."""
    error = SignatureError("SignatureDoesNotMatch", f"{_MISMATCH}key and signing method.")
    details = {
        "AWSAccessKeyId": key_id,
        "StringToSign": signed,
        "SignatureProvided": value,
        "StringToSignBytes": signed.encode().hex(" "),
    }
    request = {"CanonicalRequest": canonical.decode("latin-1"), "CanonicalRequestBytes": canonical.hex(" ")}
    error.details = {**details, **request} if canonical else details
    return error


def wrong_scope_date(service: str, in_scope: str, time: str) -> SignatureError:
    """A scope of another day than the signature's."""
    if service == S3:
        return malformed(
            f'Invalid credential date "{in_scope}". This date is not the same as X-Amz-Date: "{time[:8]}".'
        )
    words = f"YYYYMMDD from ISO-8601 version of date from HTTP: '{in_scope}' != '{time[:8]}', from '{time}'."
    return SignatureError("SignatureDoesNotMatch", f"Date in Credential scope does not match {words}")


def unsigned_headers(service: str, names: str) -> SignatureError:
    """Headers that the signature must cover, and does not."""
    if service == S3:
        words = "There were headers present in the request which were not signed"
        error = SignatureError("AccessDenied", words)
        error.details = {"HeadersNotSigned": names}
        return error
    return SignatureError("SignatureDoesNotMatch", f"{names} must be a 'SignedHeader' in the AWS Authorization.")


def skewed(service: str, sent: str, now: str, bound: str, *, is_late: bool) -> SignatureError:
    """A signature of another time than now; the bound is the time that it may have at most."""
    if service == S3:
        words = "The difference between the request time and the current time is too large."
        return SignatureError("RequestTimeTooSkewed", words)
    if is_late:
        words = f"Signature expired: {sent} is now earlier than {bound} ({now} - 15 min.)"
    else:
        words = f"Signature not yet current: {sent} is still later than {bound} ({now} + 15 min.)"
    return SignatureError("SignatureDoesNotMatch", words)


def expired_for_s3(end: float, now: float, lifetime: int | None = None) -> SignatureError:
    """A presigned request to S3 after its end; those of Signature Version 4 have a lifetime."""
    given = {"X-Amz-Expires": str(lifetime)} if lifetime is not None else {}
    error = SignatureError("AccessDenied", "Request has expired")
    error.details = {**given, "Expires": _iso(end), "ServerTime": _iso(now)}
    return error


def _iso(timestamp: float) -> str:
    try:
        return f"{dt.datetime.fromtimestamp(timestamp, dt.timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return str(timestamp)  # a time of no calendar


def expired(end: str, now: str) -> SignatureError:
    """A presigned request after its end."""
    return SignatureError("SignatureDoesNotMatch", f"Signature expired: {end} is now earlier than {now}")


def missing_body_hash() -> SignatureError:
    """A request to S3 that does not say what stands for its body."""
    words = "Missing required header for this request: x-amz-content-sha256"
    return SignatureError("InvalidRequest", words, 400)


def invalid_body_hash() -> SignatureError:
    """A request to S3 with something else in the place of its body's hash."""
    words = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
    more = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value."
    return SignatureError("InvalidArgument", words + more, 400)
