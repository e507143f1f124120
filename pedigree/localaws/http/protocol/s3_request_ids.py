"""The two names that S3 gives to every request, which its support asks for."""

from __future__ import annotations

import base64
import secrets

_CHARACTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_REQUEST_LENGTH = 16
_HOST_BYTES = 56


def s3_request_id() -> str:
    """A name for a request, as x-amz-request-id has it."""
    return "".join(secrets.choice(_CHARACTERS) for _ in range(_REQUEST_LENGTH))


def s3_host_id() -> str:
    """A name for what has answered, as x-amz-id-2 has it."""
    return base64.b64encode(secrets.token_bytes(_HOST_BYTES)).decode()
