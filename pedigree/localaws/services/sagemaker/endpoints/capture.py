"""Data capture: requests to an endpoint and its answers, as JSON lines in S3, where SageMaker puts them.

Captures collects lines and writes them in the background, so that no request waits for that.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import logging
import random
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.background_errors import BackgroundErrors
from pedigree.localaws.services.s3.catalog import NoSuchBucketError, ObjectCatalog, S3Location

_LOG = logging.getLogger(__name__)
_PERIOD_SECONDS = 2.0
_MOST_LINES = 1000
_MOST_WAITING = 10_000
_TYPE = "application/jsonlines"
_MODES: Mapping[str, tuple[str, ...]] = {
    "Input": ("Input",),
    "Output": ("Output",),
    "InputAndOutput": ("Input", "Output"),
}
Place: TypeAlias = tuple[str, str, str, str]
"""An endpoint, a variant, the role that writes, and the destination."""


@dataclass(frozen=True)
class Capture:
    """What is captured of an endpoint: the percentage of requests, which sides, and which types stay readable."""

    percent: int
    destination: str
    modes: frozenset[str]
    encodings: Mapping[str, str]

    @classmethod
    def of(cls, configured: Mapping[str, Any] | None) -> Capture | None:
        """Read a DataCaptureConfig; None if nothing is captured."""
        if not configured or not configured.get("EnableCapture", True):
            return None
        header = configured.get("CaptureContentTypeHeader", {})
        encodings = {
            **{kind.lower(): "CSV" for kind in header.get("CsvContentTypes", ())},
            **{kind.lower(): "JSON" for kind in header.get("JsonContentTypes", ())},
        }
        modes = frozenset(mode for option in configured["CaptureOptions"] for mode in _MODES[option["CaptureMode"]])
        return cls(configured["InitialSamplingPercentage"], configured["DestinationS3Uri"], modes, encodings)

    def is_chosen(self, chance: float) -> bool:
        """Whether a request is captured, by a random number from 0 to 1."""
        return 100 * chance < self.percent


@dataclass(frozen=True)
class CapturedInvocation:
    """A request to a model, and its answer."""

    request: bytes
    request_type: str
    response: bytes
    response_type: str
    inference_id: str = ""
    attributes: str = ""


def line(capture: Capture, invocation: CapturedInvocation, event: str, moment: dt.datetime) -> str:
    """The line for an invocation."""
    sides = {
        "endpointInput": ("Input", invocation.request, invocation.request_type),
        "endpointOutput": ("Output", invocation.response, invocation.response_type),
    }
    captured = {
        side: _side(capture, mode.upper(), content, kind)
        for side, (mode, content, kind) in sides.items()
        if mode in capture.modes
    }
    about = {
        "eventId": event,
        **({"customAttributes": [invocation.attributes]} if invocation.attributes else {}),
        **({"inferenceId": invocation.inference_id} if invocation.inference_id else {}),
        "inferenceTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
    }
    return json.dumps({"captureData": captured, "eventMetadata": about, "eventVersion": "0"})


def _side(capture: Capture, mode: str, content: bytes, kind: str) -> Mapping[str, str]:
    encoding = capture.encodings.get(kind.partition(";")[0].strip().lower(), "BASE64")
    try:
        data = base64.b64encode(content).decode() if encoding == "BASE64" else content.decode()
    except UnicodeDecodeError:
        encoding, data = "BASE64", base64.b64encode(content).decode()
    return {"observedContentType": kind, "mode": mode, "data": data, "encoding": encoding}


def address(destination: str, endpoint: str, variant: str, moment: dt.datetime, unique: str) -> S3Location:
    """Where lines are stored: by endpoint, variant and hour."""
    base = S3Location.parse(destination)
    name = f"{moment:%Y/%m/%d/%H/%M-%S}-{moment.microsecond // 1000:03d}-{unique}.jsonl"
    return S3Location(base.bucket, f"{base.key.rstrip('/')}/{endpoint}/{variant}/{name}".lstrip("/"))


class Captures:
    """Writes lines to S3, as the model's role."""

    def __init__(
        self,
        now: Callable[[], dt.datetime],
        objects: Callable[[str], ObjectCatalog],
        *,
        seconds: float = _PERIOD_SECONDS,
    ) -> None:
        self._now = now
        self._objects = objects
        self._seconds = seconds
        self._lines: dict[Place, list[str]] = {}
        self._troubles = BackgroundErrors("what is captured of endpoints")
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="captures", daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Write what was captured so far, and stop."""
        self._over.set()
        self._thread.join()
        self.write()

    def note(self, capture: Capture, endpoint: str, variant: str, role: str, invocation: CapturedInvocation) -> None:
        """Capture an invocation, if it is chosen."""
        if not capture.is_chosen(random.random()):  # noqa: S311  # a sample
            return
        place = endpoint, variant, role, capture.destination
        text = line(capture, invocation, str(uuid.uuid4()), self._now())
        with self._lock:
            self._lines.setdefault(place, []).append(text)

    def write(self) -> None:
        """Write what was captured since the last time. Where the disk is full it waits, up to a limit."""
        with self._lock:
            waiting, self._lines = self._lines, {}
        for place, lines in waiting.items():
            while lines and self._troubles.survive(partial(self._keep, place, lines[:_MOST_LINES]), place):
                lines = lines[_MOST_LINES:]
            if lines:
                with self._lock:
                    self._lines[place] = [*lines, *self._lines.get(place, ())][:_MOST_WAITING]

    def _keep(self, place: Place, lines: list[str]) -> None:
        endpoint, variant, role, destination = place
        try:
            target = address(destination, endpoint, variant, self._now(), str(uuid.uuid4()))
            self._objects(role).put(target, ["".join(f"{text}\n" for text in lines).encode()], content_type=_TYPE)
        except (ServiceError, NoSuchBucketError, ValueError) as error:
            _LOG.warning(
                "%d captured requests to %s cannot be written to %s: %s", len(lines), endpoint, destination, error
            )

    def _work(self) -> None:
        while not self._over.wait(self._seconds):
            self.write()
