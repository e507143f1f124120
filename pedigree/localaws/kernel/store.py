"""What the local AWS remembers: documents by kind and name, in one SQLite file that survives a killed process.

A write is on the disk before it is answered. Several writes that belong together are one transaction. A document has
a revision, so that whoever changes one can see that nobody else has changed it meanwhile; revisions only grow, over all
documents, so a listing by revision is a listing by age of the last change.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

Document: TypeAlias = Mapping[str, Any]
_LAST_CHARACTER = "\U0010ffff"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_revision ON documents (kind, revision);
CREATE TABLE IF NOT EXISTS counter (last INTEGER NOT NULL);
INSERT INTO counter SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM counter);
"""


class TakenError(Exception):
    """A document of that kind and name is there already."""


class MissingError(Exception):
    """There is no document of that kind and name."""


@dataclass(frozen=True)
class Entry:
    """A document, with its name and the revision in which it was read."""

    name: str
    revision: int
    body: Document


class Store:
    """The documents; any number of threads may use it at once.

    Who reads waits for whoever writes: a thread that is started in the midst of a transaction finds what was written.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make what happens inside one transaction: all of it, or nothing if it raises."""
        with self._lock:
            if self._depth:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            else:
                self._connection.execute("COMMIT")
            finally:
                self._depth = 0

    def add(self, kind: str, name: str, body: Document) -> None:
        """Keep a new document; TakenError if there is one."""
        with self.together():
            if _row(self._connection, kind, name) is not None:
                raise TakenError(f"{kind} {name}")
            self._write(kind, name, body)

    def put(self, kind: str, name: str, body: Document) -> None:
        """Keep a document, whether or not there is one."""
        with self.together():
            self._write(kind, name, body)

    def change(self, kind: str, name: str, how: Callable[[Document], Document]) -> Document:
        """Keep what a function makes of a document, and answer it; nobody else changes it meanwhile."""
        with self.together():
            changed = how(self.get(kind, name))
            self._write(kind, name, changed)
            return changed

    def get(self, kind: str, name: str) -> Document:
        """A document; MissingError if there is none."""
        found = self.find(kind, name)
        if found is None:
            raise MissingError(f"{kind} {name}")
        return found

    def find(self, kind: str, name: str) -> Document | None:
        """A document, or None."""
        with self._lock:
            row = _row(self._connection, kind, name)
        return None if row is None else json.loads(row[0])

    def remove(self, kind: str, name: str) -> None:
        """Forget a document; MissingError if there is none."""
        with self.together():
            removed = self._connection.execute("DELETE FROM documents WHERE kind = ? AND name = ?", (kind, name))
            if not removed.rowcount:
                raise MissingError(f"{kind} {name}")

    def entries(self, kind: str, prefix: str = "") -> list[Entry]:
        """The documents of a kind, or those whose name begins so; the one that was changed last at the end."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT name, revision, body FROM documents "
                "WHERE kind = ? AND name >= ? AND name < ? ORDER BY revision",
                (kind, prefix, prefix + _LAST_CHARACTER),
            ).fetchall()
        return [Entry(name, revision, json.loads(body)) for name, revision, body in rows]

    def next_number(self) -> int:
        """A number that was never given before."""
        with self.together():
            (last,) = self._connection.execute("UPDATE counter SET last = last + 1 RETURNING last").fetchone()
            return int(last)

    def _write(self, kind: str, name: str, body: Document) -> None:
        text = json.dumps(body, separators=(",", ":"), allow_nan=False)
        self._connection.execute(
            "INSERT INTO documents VALUES (?, ?, ?, ?) "
            "ON CONFLICT (kind, name) DO UPDATE SET revision = excluded.revision, body = excluded.body",
            (kind, name, self.next_number(), text),
        )


def _row(connection: sqlite3.Connection, kind: str, name: str) -> tuple[str] | None:
    row: tuple[str] | None = connection.execute(
        "SELECT body FROM documents WHERE kind = ? AND name = ?", (kind, name)
    ).fetchone()
    return row
