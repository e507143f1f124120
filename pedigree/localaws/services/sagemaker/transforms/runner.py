"""Runs transform jobs: each sends its objects to a fleet of model servers, and stores results as they come.

Each job has a thread. A job that ran when the daemon ended runs again from the start: the same objects give the same
results in the same places.
"""

from __future__ import annotations

import gzip
import json
import logging
import shutil
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.background_errors import retry_until_done
from pedigree.localaws.kernel.store import Document
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.s3.catalog import NoSuchBucketError, ObjectCatalog, S3Location
from pedigree.localaws.services.s3.manifests import parse_manifest
from pedigree.localaws.services.sagemaker.endpoints.fleet import Fleet
from pedigree.localaws.services.sagemaker.endpoints.hosting import HostEnvironment, host_model
from pedigree.localaws.services.sagemaker.endpoints.server_process import (
    InstanceError,
    ModelTimeoutError,
    end_left_over,
)
from pedigree.localaws.services.sagemaker.endpoints.server_reply import Reply
from pedigree.localaws.services.sagemaker.jobs.events import job_changed
from pedigree.localaws.services.sagemaker.transforms.plans import TransformPlan, plan
from pedigree.localaws.services.sagemaker.transforms.records import Record, assembled, batches, payload, split

TRANSFORM = "transform-job"
STATUS = "TransformJobStatus"
_LOG = logging.getLogger(__name__)
_GROUP = "/aws/sagemaker/TransformJobs"
_FOLDER = "transforms"
_ANY, _JSON = "application/octet-stream", "application/json"
_OVER = ("Completed", "Failed", "Stopped")
_END_SECONDS = 5.0


class TransformError(Exception):
    """A job cannot continue; the text is the failure reason, as SageMaker writes it. The log has the details."""

    def __init__(self, reason: str, details: str = "") -> None:
        super().__init__(reason)
        self.details = details or reason


class TransformStoppedError(Exception):
    """The job was asked to end."""


@dataclass
class _RunningJob:
    """A job that runs, with its fleet once that is started."""

    fleet: Fleet | None = None
    is_stopped: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """Send no more requests, and wait for no answer."""
        self.is_stopped.set()
        if self.fleet is not None:
            threading.Thread(target=self.fleet.end, args=(0.0,), daemon=True).start()


class TransformRunner:
    """Runs all transform jobs."""

    def __init__(self, world: World, host: HostEnvironment) -> None:
        self._world = world
        self._host = host
        self._lock = threading.Lock()
        self._running: dict[str, _RunningJob] = {}
        self._ending = threading.Event()

    def start(self, name: str) -> None:
        """Start a job."""
        with self._lock:
            running = self._running[name] = _RunningJob()
        if self._ending.is_set() or self._world.store.get(TRANSFORM, name)[STATUS] == "Stopping":
            running.stop()  # the stop came before there was anything to stop
        threading.Thread(target=self._run, args=(name, running), name=f"transform {name}", daemon=True).start()

    def stop(self, name: str) -> None:
        """Ask a job to end; its status is Stopping until it has."""
        self._note(name, "Stopping")
        with self._lock:
            running = self._running.get(name)
        if running is not None:
            running.stop()

    def resume(self) -> None:
        """Run the jobs again that ran when the last daemon ended, after killing what is left of them."""
        end_left_over(self._world.folder / _FOLDER)
        for entry in self._world.store.entries(TRANSFORM):
            if entry.body[STATUS] == "Stopping":
                self._note(entry.name, "Stopped", TransformEndTime=self._world.now())
            elif entry.body[STATUS] == "InProgress":
                self.start(entry.name)

    def end_all(self) -> None:
        """Kill all jobs' processes. That is not stored: the jobs run again with the next daemon."""
        self._ending.set()
        with self._lock:
            running = list(self._running.values())
        for job in running:
            job.stop()
        deadline = time.monotonic() + _END_SECONDS
        while self._running and time.monotonic() < deadline:
            time.sleep(0.02)

    def _run(self, name: str, running: _RunningJob) -> None:
        status, reason = "Completed", ""
        try:
            self._run_job(name, running)
        except TransformStoppedError:
            status = "Stopped"
        except TransformError as error:
            status, reason = "Failed", str(error)
        except (OSError, ValueError, NoSuchBucketError, ServiceError) as error:
            status, reason = "Failed", f"ClientError: {error}"
        except Exception:  # noqa: BLE001  # a bug in here fails this job, and the log says more
            _LOG.exception("transform job %s cannot go on", name)
            status, reason = "Failed", "InternalServerError: see the local AWS's log"
        if running.is_stopped.is_set() and status == "Failed":
            status, reason = "Stopped", ""
        if running.fleet is not None:
            running.fleet.end(0.0)
        shutil.rmtree(self._world.folder / _FOLDER / name, ignore_errors=True)
        ended = {"TransformEndTime": self._world.now(), "FailureReason": reason or None}
        retry_until_done(
            lambda: self._note(name, status, **ended), self._ending.wait, f"the end of transform job {name}"
        )
        with self._lock:
            self._running.pop(name, None)

    def _run_job(self, name: str, running: _RunningJob) -> None:
        if running.is_stopped.is_set():
            raise TransformStoppedError
        wanted = plan(self._world.store.get(TRANSFORM, name))
        folder = self._world.folder / _FOLDER / name
        shutil.rmtree(folder, ignore_errors=True)
        self._note(name, "InProgress", TransformStartTime=self._world.now())
        fleet, role = self._served(wanted, running)
        catalog = self._host.roles.objects(role, self._world.arn("sagemaker", f"{TRANSFORM}/{name}"))
        objects = list(_objects(wanted, catalog))
        if not objects:
            raise TransformError(f"ClientError: S3 key: {wanted.source} matched no files on s3")
        transformer = _Transformer(wanted, fleet, catalog, running.is_stopped)
        with ThreadPoolExecutor(wanted.instances * wanted.concurrent) as pool:
            outcomes = [pool.submit(self._transform, transformer, place, prefix) for place, prefix in objects]
        failures = [error for error in (outcome.exception() for outcome in outcomes) if error is not None]
        if failures:
            raise failures[0]
        if wanted.capture:
            self._capture(wanted, catalog, objects)

    def _served(self, wanted: TransformPlan, running: _RunningJob) -> tuple[Fleet, str]:
        log = _GROUP, f"{wanted.name}/model"
        folder = self._world.folder / _FOLDER / wanted.name / "model"
        try:
            made = host_model(self._world, self._host, wanted.model, folder, log, wanted.environment, wanted.seconds)
            running.fleet = Fleet(made.spec)
            if not running.is_stopped.is_set():
                running.fleet.resize(wanted.instances)
        except InstanceError as error:
            raise TransformError(f"AlgorithmError: {error}") from error
        return running.fleet, made.role

    def _transform(self, transformer: _Transformer, place: S3Location, prefix: str) -> None:
        try:
            content = transformer.result(place)
        except (TransformError, ValueError) as error:
            details = error.details if isinstance(error, TransformError) else error
            self._host.logs.write(_GROUP, f"{transformer.plan.name}/data-log", f"{place}: {details}")
            raise
        target = transformer.plan.target_of(place.key, prefix)
        transformer.catalog.put(target, [content], content_type=transformer.plan.accept or _ANY)

    def _capture(
        self, wanted: TransformPlan, catalog: ObjectCatalog, objects: Sequence[tuple[S3Location, str]]
    ) -> None:
        """Store which objects went in and came out, by hour, where SageMaker's monitoring looks for them."""
        assert wanted.capture is not None
        moment = self._world.clock.now()
        sides = {
            "input": [(place.bucket, place.key) for place, _ in objects],
            "output": [(wanted.target.bucket, wanted.target_of(place.key, prefix).key) for place, prefix in objects],
        }
        for side, places in sides.items():
            base = f"{wanted.capture.key.rstrip('/')}/{side}/{moment:%Y/%m/%d/%H}/{uuid.uuid4()}.json".lstrip("/")
            listed = [{"prefix": f"s3://{places[0][0]}/"}, *(key for _, key in places)]
            catalog.put(S3Location(wanted.capture.bucket, base), [json.dumps(listed).encode()], content_type=_JSON)

    def _note(self, name: str, status: str, **members: Any) -> None:
        if self._ending.is_set():
            return

        def updated(before: Document) -> Document:
            if before[STATUS] in _OVER:
                return before
            present = "Stopping" if before[STATUS] == "Stopping" and status == "InProgress" else status
            return {**before, **members, STATUS: present, "LastModifiedTime": self._world.now()}

        with self._world.store.transaction():
            before = self._world.store.get(TRANSFORM, name)
            job_changed(self._world, TRANSFORM, self._world.store.update(TRANSFORM, name, updated), before)
        self._world.signal.wake()


@dataclass(frozen=True)
class _Transformer:
    """Sends objects to a model."""

    plan: TransformPlan
    fleet: Fleet
    catalog: ObjectCatalog
    is_stopped: threading.Event

    def result(self, place: S3Location) -> bytes:
        """The result of an object."""
        try:
            content = self.catalog.read(str(place))
        except KeyError:
            raise TransformError(f"ClientError: there is no object at {place}") from None
        records = split(gzip.decompress(content) if self.plan.is_gzip else content, self.plan.split)
        inputs = [self._filtered(record) for record in records]
        answers: list[bytes] = []
        position = 0
        for batch in batches(inputs, is_single=self.plan.is_single, limit=self.plan.limit):
            answer = self._answer(payload(batch, is_single=self.plan.is_single))
            answers += self._results(records[position : position + len(batch)], answer)
            position += len(batch)
        return assembled(answers, by_line=self.plan.by_line)

    def _filtered(self, record: Record) -> Record:
        content = self.plan.processing.model_input(record.content)
        if content is record.content:
            return record
        return Record(content, content + b"\n" if self.plan.split == "Line" else content)

    def _results(self, records: Sequence[Record], answer: bytes) -> list[bytes]:
        """The results in an answer: the answer itself, or each part of it with its record."""
        processing = self.plan.processing
        if processing.is_idle or (not processing.is_joined and self.plan.split == "None"):
            return [processing.result(b"", answer)]
        contents = [record.content for record in records]
        pairs = zip(contents, processing.answers(contents, answer), strict=True)
        return [processing.result(record, each) for record, each in pairs]

    def _answer(self, body: bytes) -> bytes:
        """The model's answer to a request, which is repeated after a failure as often as the job says."""
        reply = Reply(0, "", b"", 0.0)
        for _ in range(self.plan.retries + 1):
            if self.is_stopped.is_set():
                raise TransformStoppedError
            reply = self._reply(body)
            if reply.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                break
        if reply.status == HTTPStatus.OK:
            return reply.content
        fault = "ClientError" if reply.status < HTTPStatus.INTERNAL_SERVER_ERROR else "AlgorithmError"
        text = reply.content.decode(errors="replace")[:512]
        details = f"{fault}: the model answered {reply.status}: {text}"
        raise TransformError(f"{fault}: See job logs for more information", details)

    def _reply(self, body: bytes) -> Reply:
        try:
            return self.fleet.invoke(body, self.plan.headers)
        except ModelTimeoutError as error:
            return Reply(HTTPStatus.GATEWAY_TIMEOUT, "", str(error).encode(), self.plan.seconds)
        except InstanceError as error:
            if self.is_stopped.is_set():
                raise TransformStoppedError from None
            raise TransformError(f"AlgorithmError: {error}") from error


def _objects(wanted: TransformPlan, catalog: ObjectCatalog) -> Iterator[tuple[S3Location, str]]:
    """The objects of a job, each with the prefix under which it was found."""
    if wanted.is_manifest:
        try:
            yield from parse_manifest(catalog.read(str(wanted.source)))
        except KeyError:
            raise TransformError(f"ClientError: there is no manifest at {wanted.source}") from None
        return
    for key, body in catalog.list_prefix(wanted.source):
        if not key.endswith("/") or body.get("size"):
            yield S3Location(wanted.source.bucket, key), wanted.source.key
