"""The interfaces that the kernel and the services need of services above or beside them."""

from __future__ import annotations

from typing import Protocol


class ObjectReader(Protocol):
    """Reads objects from S3."""

    def read(self, uri: str) -> bytes:
        """Return the content of an object by its s3:// URI; raise KeyError if it does not exist."""
        ...


class LogWriter(Protocol):
    """Writes lines to the streams of log groups."""

    def write(self, group: str, stream: str, *lines: str) -> None: ...
