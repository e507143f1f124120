"""The state of the local AWS: documents by kind and name, in one SQLite file that survives a killed process.

A write is on the disk before it returns. Writes that belong together are one transaction. Every write gives its
document a new revision, higher than all before; so a listing by revision is a listing by time of the last change.
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


class DocumentExistsError(Exception):
    """A document of this kind and name already exists."""


class DocumentNotFoundError(Exception):
    """No document of this kind and name exists."""


@dataclass(frozen=True)
class MemberIndex:
    """A member by whose value documents of some kinds can be found; all are constants of the code."""

    member: str
    kinds: tuple[str, ...]

    @property
    def condition(self) -> str:
        """The same words in the index and in every query, which SQLite needs to use the one for the other."""
        return f"kind IN ({', '.join(repr(kind) for kind in self.kinds)})"

    @property
    def expression(self) -> str:
        return f"json_extract(body, '$.{self.member}')"


@dataclass(frozen=True)
class Entry:
    """A document, with its name and its revision."""

    name: str
    revision: int
    body: Document


class Store:
    """Documents that any number of threads may use at once.

    Reads wait for an open transaction, so a thread that is started inside one finds what it has written.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._after_commit: list[Callable[[], None]] = []
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block as one transaction, which is rolled back if the block raises; blocks may be nested."""
        with self._lock:
            if self._depth:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._depth, self._after_commit = 1, []
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            else:
                self._connection.execute("COMMIT")
                followers = self._after_commit
            finally:
                self._depth, self._after_commit = 0, []
        for follow in followers:
            follow()

    def after_commit(self, follow: Callable[[], None]) -> None:
        """Call a function when the open transaction is committed, or now if none is open; never after a rollback."""
        with self._lock:
            if self._depth:
                self._after_commit.append(follow)
                return
        follow()

    def add(self, kind: str, name: str, body: Document) -> None:
        """Write a new document; raise DocumentExistsError if it exists."""
        with self.transaction():
            if _row(self._connection, kind, name) is not None:
                raise DocumentExistsError(f"{kind} {name}")
            self._write(kind, name, body)

    def put(self, kind: str, name: str, body: Document) -> None:
        """Write a document, new or not."""
        with self.transaction():
            self._write(kind, name, body)

    def update(self, kind: str, name: str, function: Callable[[Document], Document]) -> Document:
        """Replace a document by the function's result, in one transaction, and return it."""
        with self.transaction():
            updated = function(self.get(kind, name))
            self._write(kind, name, updated)
            return updated

    def get(self, kind: str, name: str) -> Document:
        """Return a document; raise DocumentNotFoundError if it does not exist."""
        document = self.find(kind, name)
        if document is None:
            raise DocumentNotFoundError(f"{kind} {name}")
        return document

    def find(self, kind: str, name: str) -> Document | None:
        """Return a document, or None if it does not exist."""
        with self._lock:
            row = _row(self._connection, kind, name)
        return None if row is None else json.loads(row[0])

    def revision(self, kind: str, name: str) -> int:
        """Return the revision of a document, or 0 if it does not exist."""
        with self._lock:
            row = self._connection.execute(
                "SELECT revision FROM documents WHERE kind = ? AND name = ?", (kind, name)
            ).fetchone()
        return int(row[0]) if row else 0

    def remove(self, kind: str, name: str) -> None:
        """Delete a document; raise DocumentNotFoundError if it does not exist."""
        with self.transaction():
            deletion = self._connection.execute("DELETE FROM documents WHERE kind = ? AND name = ?", (kind, name))
            if not deletion.rowcount:
                raise DocumentNotFoundError(f"{kind} {name}")

    def entries(self, kind: str, prefix: str = "") -> list[Entry]:
        """List the documents of a kind whose names start with a prefix, the last changed at the end."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT name, revision, body FROM documents "
                "WHERE kind = ? AND name >= ? AND name < ? ORDER BY revision",
                (kind, prefix, prefix + _LAST_CHARACTER),
            ).fetchall()
        return [Entry(name, revision, json.loads(body)) for name, revision, body in rows]

    def has_entries(self, kind: str, prefix: str) -> bool:
        """Whether a document of a kind has a name that starts with a prefix, however many do."""
        query = "SELECT 1 FROM documents WHERE kind = ? AND name >= ? AND name < ? LIMIT 1"
        with self._lock:
            return self._connection.execute(query, (kind, prefix, prefix + _LAST_CHARACTER)).fetchone() is not None

    def create_index(self, index: MemberIndex) -> None:
        """Let documents be found by a member's value."""
        columns = f"documents ({index.expression}) WHERE {index.condition}"
        with self._lock:
            self._connection.execute(f"CREATE INDEX IF NOT EXISTS by_{index.member} ON {columns}")

    def has_value(self, index: MemberIndex, value: str) -> bool:
        """Return whether a document of an index's kinds has the value."""
        query = f"SELECT 1 FROM documents WHERE {index.expression} = ? AND {index.condition} LIMIT 1"  # noqa: S608
        with self._lock:
            return self._connection.execute(query, (value,)).fetchone() is not None

    def next_number(self) -> int:
        """Return a number that was never returned before."""
        with self.transaction():
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
