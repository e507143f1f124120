"""Which names S3 takes for buckets and objects."""

from __future__ import annotations

import re

from pedigree.localaws.http.protocol.s3_errors import S3Error

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_IP_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
_RESERVED_BEGINNINGS = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_MAX_KEY_BYTES = 1024


def check_bucket(name: str) -> None:
    """S3Error for a name that no bucket can have."""
    is_valid = (
        _BUCKET.fullmatch(name)
        and ".." not in name
        and not _IP_ADDRESS.fullmatch(name)
        and not name.startswith(_RESERVED_BEGINNINGS)
        and not name.endswith(_RESERVED_ENDS)
    )
    if not is_valid:
        raise S3Error("InvalidBucketName", f"The specified bucket is not valid: {name[:100]!r}", 400)


def check_key(key: str) -> None:
    """S3Error for a key that no object can have."""
    if len(key.encode()) > _MAX_KEY_BYTES:
        raise S3Error("KeyTooLongError", "Your key is too long", 400)
