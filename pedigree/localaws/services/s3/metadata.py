"""The metadata that clients give to objects: read from headers, decoded and encoded as S3 does it (RFC 2047)."""

from __future__ import annotations

from collections.abc import Mapping

from pedigree.localaws.http.protocol.encoded_words import normal
from pedigree.localaws.http.protocol.s3_errors import S3Error

METADATA_PREFIX = "x-amz-meta-"
_MAX_BYTES = 2048


def stored_metadata(headers: Mapping[str, str], *, is_form: bool = False) -> dict[str, str]:
    """The metadata in the headers of a write; MetadataTooLarge for more than S3 takes."""
    metadata = {
        name: value if is_form else normal(value) for name, value in headers.items() if name.startswith(METADATA_PREFIX)
    }
    size = sum(len(name.removeprefix(METADATA_PREFIX)) + len(value.encode()) for name, value in metadata.items())
    if size > _MAX_BYTES:
        message = "Your metadata headers exceed the maximum allowed metadata size"
        raise S3Error("MetadataTooLarge", message, 400, Size=str(size), MaxSizeAllowed=str(_MAX_BYTES))
    return metadata
