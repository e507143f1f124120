"""The bucket and the object that a request of S3 names, read in one way by authorization and by S3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pedigree.localaws.http.aws_hosts import s3_bucket
from pedigree.localaws.http.protocol.urls import decoded, utf8

COPY_SOURCE = "x-amz-copy-source"


class S3Address(NamedTuple):
    """A bucket, a key in it, and a version of that object; each is empty if the request does not name it."""

    bucket: str
    key: str
    version: str = ""


def address(raw_path: str) -> S3Address:
    """The address in a path as it was sent."""
    bucket, _, key = decoded(raw_path.lstrip("/")).partition("/")
    return S3Address(bucket, key)


def _without_host(source: str) -> str:
    """A source that is written as an address, as if it were written as a path."""
    scheme, separator, rest = source.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        return source
    host, _, path = rest.partition("/")
    bucket = s3_bucket(host)
    return f"{bucket}/{path}" if bucket else path


def copy_source(headers: Mapping[str, str]) -> S3Address | None:
    """The object that a request copies; None if it copies nothing."""
    source = headers.get(COPY_SOURCE)
    if source is None:
        return None
    path, _, query = _without_host(source).partition("?")
    bucket, key, _ = address(utf8(path).replace("+", "%20"))  # it is written as forms are
    return S3Address(bucket, key, decoded(utf8(query.removeprefix("versionId="))))
