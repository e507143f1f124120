"""A full disk ends nothing: what can wait in memory is not lost, and the log reports it once."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from pedigree.localaws.kernel import background_errors
from pedigree.localaws.moto.backends import MotoBackends
from pedigree.localaws.services.logs.streams import CloudWatchLogs, LogFiles
from pedigree.localaws.services.s3.catalog import ObjectCatalog, S3Location
from pedigree.localaws.services.sagemaker.endpoints.capture import Capture, CapturedInvocation, Captures
from tests.support.waiting import until
from tests.support.worlds import ManualClock

FULL = OSError("No space left on device")
CONFIGURED: dict[str, Any] = {
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://bucket/captured",
    "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
}


class Stream:
    """A log stream in moto's state."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def put_log_events(self, events: list[dict[str, Any]]) -> None:
        self.events += events


class Group:
    """A log group with one stream."""

    def __init__(self) -> None:
        self.streams = {"stream": Stream()}


class Backend:
    """moto's state of one log group."""

    def __init__(self) -> None:
        self.groups = {"group": Group()}


class OnceFullBackends:
    """Stands for moto's backends, whose first save fails."""

    def __init__(self) -> None:
        self.logs, self.attempts, self.saved = Backend(), 0, 0

    @contextmanager
    def backend(self, _service: str, _region: str) -> Iterator[Backend]:
        yield self.logs

    def save(self, _service: str) -> None:
        self.attempts += 1
        if self.attempts == 1:
            raise FULL
        self.saved = len(self.logs.groups["group"].streams["stream"].events)


class FullObjects:
    """Objects that cannot be stored until there is room."""

    def __init__(self) -> None:
        self.has_room = False
        self.attempts = 0
        self.contents: list[bytes] = []

    def put(self, _location: S3Location, chunks: Iterable[bytes], **_more: str) -> None:
        self.attempts += 1
        if not self.has_room:
            raise FULL
        self.contents.append(b"".join(chunks))


def texts(folder: Path) -> list[str]:
    lines = (folder / "logs" / "group" / "stream.log").read_text(encoding="utf-8").splitlines()
    return [line.partition(" ")[2] for line in lines]


def blocked(folder: Path) -> Path:
    """Put a file where the folder of logs must be, so that no log can be written."""
    (folder / "logs").write_text("")
    return folder / "logs"


def test_lines_wait_until_there_is_room(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    obstacle, logs = blocked(tmp_path), LogFiles(tmp_path / "logs", ManualClock())
    logs.write("group", "stream", "one")
    logs.write("group", "stream", "two")
    obstacle.unlink()
    logs.write("group", "stream", "three")
    assert texts(tmp_path) == ["one", "two", "three"]
    logged = [record for record in caplog.records if record.name == background_errors.__name__]
    assert [record.levelname for record in logged] == ["ERROR"]


def test_waiting_lines_are_written_although_no_new_ones_come(tmp_path: Path) -> None:
    obstacle, files = blocked(tmp_path), LogFiles(tmp_path / "logs", ManualClock())
    backends = OnceFullBackends()
    logs = CloudWatchLogs(files, cast(MotoBackends, backends), "us-east-1", ManualClock(), seconds=0.01)
    logs.start()
    logs.write("group", "stream", "one")
    until(lambda: backends.saved, 1)
    obstacle.unlink()
    logs.stop()
    assert (texts(tmp_path), backends.attempts >= 2) == (["one"], True)


def test_captured_data_waits_until_there_is_room(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    objects = FullObjects()
    moment = dt.datetime(2026, 3, 4, tzinfo=dt.timezone.utc)
    captures = Captures(lambda: moment, lambda _role: cast(ObjectCatalog, objects), seconds=0.01)
    capture = Capture.of(CONFIGURED)
    assert capture is not None
    captures.begin()
    for number in (b"1", b"2"):
        captures.note(capture, "dogs", "all", "role", CapturedInvocation(number, "text/csv", b"", "text/csv"))
    until(lambda: objects.attempts > 2, True)
    objects.has_room = True
    captures.end()
    assert sum(content.count(b"\n") for content in objects.contents) == 2
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
