"""Conditional requests: by ETag and time, for reads, for the source of a copy, for writes and for deletions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

from werkzeug.http import parse_date

from pedigree.localaws.http.protocol.s3_errors import S3Error, no_key
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.s3.catalog import Precondition, no_precondition

_ANY = "*"
_COPY_SOURCE = "x-amz-copy-source-"


class NotModifiedError(Exception):
    """The client has the object already."""


@dataclass(frozen=True)
class ReadCondition:
    """The conditions of a read: If-Match outweighs If-Unmodified-Since, and If-None-Match outweighs the other."""

    match: str | None = None
    none_match: str | None = None
    modified_since: dt.datetime | None = None
    unmodified_since: dt.datetime | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str], prefix: str = "") -> ReadCondition:
        """Read them from headers; times that cannot be read are ignored, as HTTP has it."""
        return cls(
            headers.get(f"{prefix}if-match"),
            headers.get(f"{prefix}if-none-match"),
            parse_date(headers.get(f"{prefix}if-modified-since")),
            parse_date(headers.get(f"{prefix}if-unmodified-since")),
        )

    def check(self, body: Document, prefix: str = "") -> None:
        """PreconditionFailed for an object that must not be read, NotModifiedError for one that need not be."""
        etag, modified = body["etag"], dt.datetime.fromisoformat(body["modified"]).replace(microsecond=0)
        if self.match is not None:
            if not _matches(self.match, etag):
                raise _failed(f"{prefix}If-Match")
        elif self.unmodified_since is not None and modified > self.unmodified_since:
            raise _failed(f"{prefix}If-Unmodified-Since")
        if self.none_match is not None:
            if _matches(self.none_match, etag):
                raise NotModifiedError
        elif self.modified_since is not None and modified <= self.modified_since:
            raise NotModifiedError


def check_copy_source(headers: Mapping[str, str], body: Document, now: dt.datetime) -> None:
    """PreconditionFailed for a source that must not be copied; a time that is yet to come is no condition."""
    condition = ReadCondition.of(headers, _COPY_SOURCE)
    if condition.modified_since is not None and condition.modified_since > now:
        condition = replace(condition, modified_since=None)
    try:
        condition.check(body, _COPY_SOURCE)
    except NotModifiedError:
        name = "If-Modified-Since" if condition.none_match is None else "If-None-Match"
        raise _failed(f"{_COPY_SOURCE}{name}") from None


@dataclass(frozen=True)
class WriteCondition:
    """The condition of a write or a deletion: the object must be absent, or it must have an ETag."""

    key: str
    match: str | None = None
    is_new: bool = False

    def check_at_start(self, before: Document | None) -> None:
        """Refuse a request before its body is received."""
        if self.match is not None and before is None:
            raise no_key(self.key)
        self.check(before)

    def check(self, before: Document | None) -> None:
        """Refuse a write at the moment when it would happen."""
        if self.is_new and before is not None:
            raise _failed("If-None-Match")
        if self.match is None:
            return
        if before is None:  # it was there when the request began
            raise self._conflict("If-Match")
        if not _matches(self.match, before["etag"]):
            raise _failed("If-Match")

    def check_upload(self, before: Document | None, at_start: int) -> None:
        """Refuse to complete an upload; the object may also not have changed since it began, when it had a number."""
        if self.match is not None and before is None:
            raise no_key(self.key)
        self.check(before)
        if self.is_new and at_start:
            raise self._conflict("If-None-Match")
        if self.match is not None and before is not None and before["number"] != at_start:
            raise self._conflict("If-Match")

    def _conflict(self, condition: str) -> S3Error:
        message = "The conditional request cannot succeed due to a conflicting operation against this resource."
        return S3Error("ConditionalRequestConflict", message, 409, Condition=condition, Key=self.key)


def write_condition(headers: Mapping[str, str], key: str) -> WriteCondition | None:
    """The condition in the headers of a write, if there is one."""
    match, none_match = headers.get("if-match"), headers.get("if-none-match")
    if match is None and none_match is None:
        return None
    if match is not None and none_match is not None:
        raise _unimplemented("If-Match,If-None-Match", "Multiple conditional request headers present in the request")
    if none_match not in (None, _ANY):
        raise _unaccepted("If-None-Match")
    if match == _ANY:
        raise _unaccepted("If-Match")
    return WriteCondition(key, match, is_new=none_match == _ANY)


def precondition(headers: Mapping[str, str], key: str) -> Precondition:
    """What a write checks at the moment when it happens."""
    condition = write_condition(headers, key)
    return condition.check if condition else no_precondition


def no_upload_condition(_before: Document | None, at_start: int) -> None:
    """Lets every upload be completed."""


def deletion_precondition(match: str | None, key: str) -> Precondition:
    """What a deletion checks at the moment when it happens."""
    return no_precondition if match is None else WriteCondition(key, match).check_at_start


def _matches(header: str, etag: str) -> bool:
    """Whether a list of ETags has an object's; clients write them with quotes and without."""
    return any(tag.strip().removeprefix("W/").strip('"') in (_ANY, etag) for tag in header.split(","))


def _failed(condition: str) -> S3Error:
    message = "At least one of the pre-conditions you specified did not hold"
    return S3Error("PreconditionFailed", message, 412, Condition=condition)


def _unaccepted(header: str) -> S3Error:
    return _unimplemented(header, f"We don't accept the provided value of {header} header for this API")


def _unimplemented(header: str, why: str) -> S3Error:
    message = "A header you provided implies functionality that is not implemented"
    return S3Error("NotImplemented", message, 501, Header=header, additionalMessage=why)
