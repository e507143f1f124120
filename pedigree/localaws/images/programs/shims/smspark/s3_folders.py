"""Objects of S3 as files in folders, as Spark wants them: with folders that are empty, and names that can be changed.

S3 has no folders: one is there as long as an object's key begins with its name, or if it was made here, which nothing
but this process knows. A path is a bucket's name and a key.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from botocore.exceptions import ClientError

_NOT_FOUND = ("404", "NoSuchKey", "NotFound")
_BATCH = 1000


@dataclass(frozen=True)
class FileStatus:
    """A file or a folder."""

    name: str
    is_folder: bool = True
    size: int = 0
    milliseconds: int = 0


class S3Folders:
    """All buckets that a client of S3 may use."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._made: set[str] = set()
        self._lock = threading.Lock()

    def status(self, path: str) -> FileStatus:
        """What is at a path; FileNotFoundError if nothing is."""
        bucket, key = _split(path)
        name = path.rpartition("/")[2]
        if key:
            try:
                head = self._client.head_object(Bucket=bucket, Key=key)
                return FileStatus(name, False, head["ContentLength"], _milliseconds(head["LastModified"]))
            except ClientError as error:
                if error.response["Error"]["Code"] not in _NOT_FOUND:
                    raise
        if self._is_made(path) or next(self._objects(path, 1), None) or not key:
            return FileStatus(name)
        raise FileNotFoundError(f"File does not exist: {path}")

    def listing(self, path: str) -> list[FileStatus]:
        """What is in a folder, or the file itself, which then has no name."""
        bucket, key = _split(path)
        found: dict[str, FileStatus] = {}
        prefix = f"{key}/" if key else ""
        for page in self._pages(bucket, prefix, Delimiter="/"):
            for document in page.get("Contents", []):
                name = document["Key"].removeprefix(prefix)
                if name:
                    found[name] = FileStatus(name, False, document["Size"], _milliseconds(document["LastModified"]))
            names = [common["Prefix"].removeprefix(prefix).rstrip("/") for common in page.get("CommonPrefixes", [])]
            found |= {name: FileStatus(name) for name in names if name}
        with self._lock:
            below = [made.removeprefix(f"{path}/").partition("/")[0] for made in self._made if _is_below(made, path)]
        found = {**{name: FileStatus(name) for name in below}, **found}
        if not found:
            status = self.status(path)
            return [] if status.is_folder else [FileStatus("", False, status.size, status.milliseconds)]
        return [found[name] for name in sorted(found)]

    def read(self, path: str, offset: int, length: int | None) -> tuple[Any, int]:
        """A stream of a part of a file, and the size of the part."""
        bucket, key = _split(path)
        size = self.status(path).size - offset
        size = size if length is None else min(size, length)
        if size <= 0:
            return None, 0
        wanted = f"bytes={offset}-{offset + size - 1}"
        return self._client.get_object(Bucket=bucket, Key=key, Range=wanted)["Body"], size

    def write(self, path: str, content: IO[bytes]) -> None:
        """Put a file."""
        bucket, key = _split(path)
        self._client.upload_fileobj(content, bucket, key)

    def make(self, path: str) -> None:
        """Make a folder, which no one else sees."""
        with self._lock:
            self._made.add(path)

    def rename(self, source: str, target: str) -> bool:
        """Give a file or folder another name, or move it into a folder that is there; whether that was possible."""
        try:
            moved = self.status(source)
        except FileNotFoundError:
            return False
        try:
            if not self.status(target).is_folder:
                return False
            target = f"{target}/{moved.name}"
        except FileNotFoundError:
            pass  # the target is the new name itself
        for path in list(self._objects(source)) if moved.is_folder else [source]:
            self._copy(path, target + path.removeprefix(source))
        with self._lock:
            self._made |= {
                target + made.removeprefix(source) for made in self._made if made == source or _is_below(made, source)
            }
        return self.delete(source, is_recursive=True)

    def delete(self, path: str, *, is_recursive: bool) -> bool:
        """Delete a file or folder; whether there was one."""
        try:
            is_folder = self.status(path).is_folder
        except FileNotFoundError:
            return False
        paths = list(self._objects(path)) if is_folder else [path]
        if is_folder and not is_recursive and self.listing(path):
            raise OSError(f"{path} is non empty")
        for first in range(0, len(paths), _BATCH):
            keys = [{"Key": _split(one)[1]} for one in paths[first : first + _BATCH]]
            self._client.delete_objects(Bucket=_split(path)[0], Delete={"Objects": keys, "Quiet": True})
        with self._lock:
            self._made = {made for made in self._made if made != path and not _is_below(made, path)}
        return True

    def _copy(self, source: str, target: str) -> None:
        (bucket, key), (to, name) = _split(source), _split(target)
        self._client.copy({"Bucket": bucket, "Key": key}, to, name)

    def _is_made(self, path: str) -> bool:
        with self._lock:
            return any(made == path or _is_below(made, path) for made in self._made)

    def _objects(self, path: str, most: int | None = None) -> Iterator[str]:
        """The paths of all objects below a folder."""
        bucket, key = _split(path)
        more = {"MaxKeys": most} if most else {}
        for page in self._pages(bucket, f"{key}/" if key else "", **more):
            yield from (f"{bucket}/{document['Key']}" for document in page.get("Contents", []))

    def _pages(self, bucket: str, prefix: str, **more: Any) -> Iterator[dict[str, Any]]:
        yield from self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **more)


def _split(path: str) -> tuple[str, str]:
    bucket, _, key = path.partition("/")
    return bucket, key


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/")


def _milliseconds(moment: Any) -> int:
    return int(moment.timestamp() * 1000)
