"""Store: documents survive a killed process, and threads change them one after the other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pedigree.localaws.kernel.store import Document, DocumentExistsError, DocumentNotFoundError, Store

# Writes documents one after the other and says so after each, until it is killed.
WRITER = """
import sys
from pathlib import Path
from pedigree.localaws.kernel.store import Store
store = Store(Path(sys.argv[1]))
for number in range(1_000_000):
    with store.transaction():
        store.add("pair", f"left-{number}", {"number": number})
        store.add("pair", f"right-{number}", {"number": number})
    print(number, flush=True)
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "state.sqlite")
    yield opened
    opened.close()


def test_a_document_is_read_by_another_store_on_the_same_file(tmp_path: Path, store: Store) -> None:
    store.add("model", "dogs", {"Image": "image", "list": [1, None, "ä"]})
    again = Store(tmp_path / "state.sqlite")
    assert again.get("model", "dogs") == {"Image": "image", "list": [1, None, "ä"]}
    again.close()


def test_a_document_cannot_be_added_twice(store: Store) -> None:
    store.add("model", "dogs", {"first": True})
    with pytest.raises(DocumentExistsError):
        store.add("model", "dogs", {"first": False})
    assert store.get("model", "dogs") == {"first": True}
    assert store.find("job", "dogs") is None


def test_a_missing_document_is_reported(store: Store) -> None:
    for attempt in (store.get, store.remove, lambda kind, name: store.update(kind, name, dict)):
        with pytest.raises(DocumentNotFoundError):
            attempt("model", "cats")


def test_documents_are_listed_by_their_last_change(store: Store) -> None:
    for name in ("a", "b", "c"):
        store.add("model", name, {})
    store.update("model", "a", lambda body: {**body, "changed": True})
    assert [entry.name for entry in store.entries("model")] == ["b", "c", "a"]
    store.remove("model", "b")
    assert [entry.name for entry in store.entries("model")] == ["c", "a"]


@pytest.mark.parametrize(("prefix", "has"), [("a/", True), ("a/b", True), ("a", True), ("a/c", False), ("b", False)])
def test_a_prefix_is_there_if_a_name_starts_with_it(store: Store, prefix: str, has: bool) -> None:
    store.add("object", "a/b", {})
    store.add("bucket", "b", {})
    assert store.has_entries("object", prefix) is has


def test_a_transaction_is_written_completely_or_not_at_all(store: Store) -> None:
    def fail_in_the_middle() -> None:
        with store.transaction():
            store.add("model", "a", {})
            with store.transaction():
                store.add("model", "b", {})
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        fail_in_the_middle()
    assert store.entries("model") == []


def test_threads_change_a_document_one_after_the_other(store: Store) -> None:
    store.add("count", "it", {"value": 0})

    def add_many() -> None:
        for _ in range(50):
            store.update("count", "it", lambda body: {"value": body["value"] + 1})

    threads = [threading.Thread(target=add_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get("count", "it") == {"value": 200}


def test_a_document_that_is_not_json_is_refused(store: Store) -> None:
    body: Document = {"value": float("nan")}
    with pytest.raises(ValueError, match="JSON"):
        store.put("count", "it", body)
    assert store.find("count", "it") is None


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    command = [sys.executable, "-c", WRITER, str(path)]
    environment: dict[str, Any] = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(30)][-1]
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    store = Store(path)
    names = {entry.name for entry in store.entries("pair")}
    store.close()
    assert {f"{side}-{number}" for side in ("left", "right") for number in range(acknowledged + 1)} <= names
    assert sum(name.startswith("left") for name in names) == sum(name.startswith("right") for name in names)


def test_a_read_waits_for_an_open_transaction_and_sees_all_of_it(store: Store) -> None:
    documents: list[Document | None] = []
    with store.transaction():
        store.put("kind", "one", {"number": 1})
        reader = threading.Thread(target=lambda: documents.append(store.find("kind", "one")))
        reader.start()
        store.put("kind", "one", {"number": 2})
    reader.join(60)
    assert documents == [{"number": 2}]
