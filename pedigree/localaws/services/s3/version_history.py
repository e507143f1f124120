"""Earlier versions of objects, and delete markers, in buckets that are or were versioned.

The catalog has the current version of an object, unless that is a delete marker: then it is the newest entry here.
"""

from __future__ import annotations

import secrets
import string
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pedigree.localaws.kernel.store import Document, Store
from pedigree.localaws.services.s3.blob_store import VERSION

NULL = "null"
ENABLED, SUSPENDED = "Enabled", "Suspended"
_DIGITS = string.digits + string.ascii_letters + "._"
_RANDOM, _NUMBER, _CHECK = 18, 10, 4
_ID_LENGTH = _RANDOM + _NUMBER + _CHECK


def new_version_id(number: int) -> str:
    """An id for a version: random, with the version's place in the order of all, and a check of both.

    So a list can go on after a version that was deleted meanwhile, and an id that never was is recognised.
    """
    head = "".join(secrets.choice(_DIGITS) for _ in range(_RANDOM)) + _encoded(number, _NUMBER)
    return head + _encoded(zlib.crc32(head.encode()) % len(_DIGITS) ** _CHECK, _CHECK)


def is_version_id(text: str) -> bool:
    """Whether a text could be the id of a version."""
    if text == NULL:
        return True
    head, check = text[:-_CHECK], text[-_CHECK:]
    return len(text) == _ID_LENGTH and check == _encoded(zlib.crc32(head.encode()) % len(_DIGITS) ** _CHECK, _CHECK)


def place_of(version: str) -> int:
    """The place of a version in the order of all, by its id."""
    number = 0
    for digit in version[_RANDOM : _RANDOM + _NUMBER]:
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    return number


def _encoded(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def version_id(body: Document) -> str:
    """The id of a version; that of an object which was written while its bucket kept no versions is `null`."""
    return str(body.get("version", NULL))


def is_delete_marker(body: Document) -> bool:
    """Whether a version says only that the object was deleted."""
    return bool(body.get("marker"))


class VersionHistory:
    """What objects were before; every method is called inside a transaction that also changes the catalog."""

    def __init__(self, store: Store, free: Callable[[Document], None]) -> None:
        self._store = store
        self._free = free

    def of_bucket(self, bucket: str, prefix: str = "") -> Iterator[tuple[str, Document]]:
        """Yield keys and documents of a bucket, in no useful order."""
        start = f"{bucket}/"
        for entry in self._store.entries(VERSION, f"{start}{prefix}"):
            yield entry.name.removeprefix(start).rpartition("\0")[0], entry.body

    def of_object(self, place: str) -> list[Document]:
        """The entries of an object, the newest first."""
        bodies = [entry.body for entry in self._store.entries(VERSION, f"{place}\0")]
        return sorted(bodies, key=lambda body: -int(body["number"]))

    def find(self, place: str, version: str) -> Document | None:
        """The entry with an id."""
        return next((body for body in self.of_object(place) if version_id(body) == version), None)

    def make_room(self, place: str, before: Document | None, status: str | None, number: int) -> Mapping[str, Any]:
        """Keep or free what is replaced, as the bucket's versioning has it; return the members of what comes next."""
        if status is None:
            if before is not None:
                self._free(before)
            return {}
        if status == ENABLED:
            self.keep(place, before)
            return {"version": new_version_id(number)}
        if before is not None and version_id(before) == NULL:
            self._free(before)
        else:
            self.keep(place, before)
            self.remove(place, NULL)
        return {"version": NULL}

    def keep(self, place: str, body: Document | None) -> None:
        """Add an entry."""
        if body is not None:
            self._store.put(VERSION, _name(place, body), {**body, "version": version_id(body)})

    def remove(self, place: str, version: str) -> Document | None:
        """Remove an entry and what only it contains; return it, None if there is none."""
        body = self.find(place, version)
        if body is not None:
            self._store.remove(VERSION, _name(place, body))
            self._free(body)
        return body

    def take_newest(self, place: str) -> Document | None:
        """Take the newest entry out, which becomes the current version; None if there is none, or a delete marker."""
        newest = next(iter(self.of_object(place)), None)
        if newest is None or is_delete_marker(newest):
            return None
        self._store.remove(VERSION, _name(place, newest))
        return newest


def _name(place: str, body: Document) -> str:
    return f"{place}\0{int(body['number']):012d}"
