"""Asynchronous invocations: kept until they are answered, and carried out as instances have room for them.

The input is read and the answer is written as the model's role. What was accepted survives a restart, and is then sent
to the model again.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.kernel.loop import WakeableLoop
from pedigree.localaws.kernel.store import Document, DocumentNotFoundError
from pedigree.localaws.kernel.world import World
from pedigree.localaws.services.s3.catalog import NoSuchBucketError, ObjectCatalog, S3Location
from pedigree.localaws.services.sagemaker.endpoints.async_invocation import AsyncInvocation
from pedigree.localaws.services.sagemaker.endpoints.endpoints import Endpoints
from pedigree.localaws.services.sagemaker.endpoints.metering import Meter
from pedigree.localaws.services.sagemaker.endpoints.model_errors import error_words
from pedigree.localaws.services.sagemaker.endpoints.resource import ENDPOINT
from pedigree.localaws.services.sagemaker.endpoints.server_reply import Reply

KIND = "async-invocation"
_LOG = logging.getLogger(__name__)
_MOST_AT_ONCE = 64
_WAITING_SECONDS, _IDLE_SECONDS = 0.5, 60.0
_TYPE = "text/plain"


class _FailedError(Exception):
    """An invocation that has no answer; its message is what the failure's object says."""


class AsyncQueue:
    """The invocations that wait for an answer."""

    def __init__(
        self, world: World, endpoints: Endpoints, objects: Callable[[str], ObjectCatalog], meter: Meter
    ) -> None:
        self._world = world
        self._endpoints = endpoints
        self._objects = objects
        self._meter = meter
        self._running: dict[str, str] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="async-invocation")
        self._loop = WakeableLoop("async-invocations", self._step)

    def begin(self) -> None:
        self._loop.start()

    def end(self) -> None:
        """Take up no more invocations; those that wait for an answer are taken up again by the next daemon."""
        self._loop.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def add(self, invocation: AsyncInvocation) -> None:
        """Keep an invocation until it is answered."""
        self._world.store.add(KIND, str(self._world.store.next_number()), invocation.document())
        self._loop.wake()

    def _step(self) -> float:
        """Start what there is room for; the seconds until the next look."""
        entries = self._world.store.entries(KIND)
        for entry in entries:
            if entry.name not in self._running:
                self._consider(entry.name, AsyncInvocation(**entry.body))
        waiting = Counter(entry.body["endpoint"] for entry in entries)
        self._meter.note_backlogs(waiting)
        return _WAITING_SECONDS if entries else _IDLE_SECONDS

    def _consider(self, name: str, invocation: AsyncInvocation) -> None:
        with self._lock:
            running = list(self._running.values()).count(invocation.endpoint)
            is_due = running < self._endpoints.deployment(invocation.endpoint).async_capacity() or self._is_over(
                invocation
            )
            if not is_due:
                return
            self._running[name] = invocation.endpoint
        self._pool.submit(self._perform, name, invocation)

    def _is_over(self, invocation: AsyncInvocation) -> bool:
        is_gone = self._world.store.find(ENDPOINT.kind, invocation.endpoint) is None
        return is_gone or self._is_expired(invocation)

    def _is_expired(self, invocation: AsyncInvocation) -> bool:
        return invocation.expires < self._world.clock.now().timestamp()

    def _perform(self, name: str, invocation: AsyncInvocation) -> None:
        """Answer an invocation, and forget it; one that is interrupted by the daemon's end stays."""
        try:
            self._answer(invocation)
        except Exception:  # noqa: BLE001  # a bug must not keep an invocation for ever
            _LOG.exception("asynchronous invocation of %s", invocation.endpoint)
        if self._loop.is_stopped:
            return
        with suppress(DocumentNotFoundError):
            self._world.store.remove(KIND, name)
        with self._lock:
            self._running.pop(name, None)
        self._loop.wake()

    def _answer(self, invocation: AsyncInvocation) -> None:
        role = self._endpoints.deployment(invocation.endpoint).role()
        if role is None:
            return
        objects = self._objects(role)
        try:
            reply = self._reply(invocation, objects)
            self._put(objects, invocation.output, reply.content, reply.content_type)
        except _FailedError as error:
            _LOG.info("asynchronous invocation of %s: %s", invocation.endpoint, error)
            if invocation.failure and not self._loop.is_stopped:
                with suppress(_FailedError):
                    self._put(objects, invocation.failure, str(error).encode(), _TYPE)

    def _reply(self, invocation: AsyncInvocation, objects: ObjectCatalog) -> Reply:
        """The model's answer; _FailedError if there is none."""
        if self._is_expired(invocation):
            raise _FailedError("The request has expired before it was processed.")
        body, seconds = self._input(invocation, objects), invocation.answer_seconds
        name = invocation.endpoint
        try:
            invoked = self._endpoints.invoke(name, body, invocation.headers, seconds=seconds)
        except ServiceError as error:
            raise _FailedError(error.message) from error
        reply = invoked.reply
        self._meter.note(name, invoked.variant, reply.seconds, 0.0, reply.status)
        if reply.status != HTTPStatus.OK:
            raise _FailedError(error_words(name, self._world.region, self._world.account, reply))
        return reply

    def _input(self, invocation: AsyncInvocation, objects: ObjectCatalog) -> bytes:
        if not invocation.input:
            return invocation.content
        try:
            return objects.read(invocation.input)
        except (ServiceError, KeyError, ValueError) as error:
            why = error.message if isinstance(error, ServiceError) else "there is no such object"
            raise _FailedError(f"Unable to download the input from {invocation.input}: {why}") from error

    def _put(self, objects: ObjectCatalog, address: str, content: bytes, kind: str) -> Document:
        try:
            return objects.put(S3Location.parse(address), [content], content_type=kind)
        except (ServiceError, NoSuchBucketError, ValueError) as error:
            _LOG.warning("the answer to an asynchronous invocation cannot be written to %s: %s", address, error)
            raise _FailedError(f"Unable to upload the output to {address}: {error}") from error
