"""A generation of an endpoint: the fleets of one configuration, one for each variant."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pedigree.localaws.http.protocol.errors import ServiceError
from pedigree.localaws.services.sagemaker.endpoints.answer_stream import StreamedReply
from pedigree.localaws.services.sagemaker.endpoints.capture import Capture
from pedigree.localaws.services.sagemaker.endpoints.fleet import DRAIN_SECONDS, Fleet
from pedigree.localaws.services.sagemaker.endpoints.instances import InstanceSpec
from pedigree.localaws.services.sagemaker.endpoints.multi_model import TARGET_MODEL
from pedigree.localaws.services.sagemaker.endpoints.server_process import (
    ANSWER_SECONDS,
    InstanceError,
    ModelTimeoutError,
    PingFailedError,
)
from pedigree.localaws.services.sagemaker.endpoints.server_reply import Reply

Chance = Callable[[], float]
_LOG = logging.getLogger(__name__)
_MIRRORS, _MOST_MIRRORED = 8, 256
TIMED_OUT = 0
"""The status of an answer that did not come in time."""
_TOO_SLOW = (
    b"Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    b"each container in Amazon CloudWatch, resolve the issue, and try again."
)


@dataclass(frozen=True)
class Variant:
    """A variant: what its instances run, their number, its weight among the variants, and the images by digest."""

    name: str
    spec: InstanceSpec
    count: int
    weight: float = 1.0
    role: str = ""
    serverless: Mapping[str, Any] = field(default_factory=dict)
    images: tuple[Mapping[str, str], ...] = ()


class Generation:
    """The fleets of a configuration."""

    def __init__(
        self,
        configuration: str,
        variants: tuple[Variant, ...],
        name: str = "",
        capture: Capture | None = None,
        chance: Chance = random.random,
        asynchronous: Mapping[str, Any] | None = None,
        shadows: tuple[Variant, ...] = (),
    ) -> None:
        self.configuration = configuration
        self.name = name
        self.capture = capture
        self.asynchronous = asynchronous
        self.variants = {variant.name: variant for variant in variants}
        self.shadows = {shadow.name: shadow for shadow in shadows}
        self.fleets = _fleets(variants)
        self._shadow_fleets = _fleets(shadows)
        self._mirrors = ThreadPoolExecutor(_MIRRORS, thread_name_prefix="shadow") if shadows else None
        self._room = threading.Semaphore(_MOST_MIRRORED)
        self.weights = {variant.name: variant.weight for variant in variants}
        self._chance = chance

    def start(self) -> None:
        """Start all instances; InstanceError if one does not start, and then none is left."""
        try:
            counts = {name: each.count for name, each in {**self.variants, **self.shadows}.items()}
            with ThreadPoolExecutor(len(counts)) as pool:
                started = {name: pool.submit(fleet.resize, counts[name]) for name, fleet in self._all_fleets.items()}
            for name, start in started.items():
                _started(name, start)
        except InstanceError:
            self.end()
            raise

    def invoke(
        self,
        body: bytes,
        headers: Mapping[str, str],
        variant: str = "",
        container: str = "",
        seconds: float | None = None,
    ) -> tuple[str, Reply]:
        """Invoke a variant, by name or by weight; its name and reply, which may be that it timed out."""
        chosen = self._chosen(variant, container, headers)
        try:
            return chosen, self.fleets[chosen].invoke(body, headers, container, seconds)
        except ModelTimeoutError:
            return chosen, Reply(TIMED_OUT, "text/plain", _TOO_SLOW, seconds or ANSWER_SECONDS)

    def stream(
        self, body: bytes, headers: Mapping[str, str], variant: str = "", container: str = ""
    ) -> tuple[str, StreamedReply]:
        """As invoke; the reply is there when it begins."""
        chosen = self._chosen(variant, container, headers)
        try:
            return chosen, self.fleets[chosen].stream(body, headers, container)
        except ModelTimeoutError:
            return chosen, StreamedReply.of(Reply(TIMED_OUT, "text/plain", _TOO_SLOW, ANSWER_SECONDS))

    def _chosen(self, variant: str, container: str, headers: Mapping[str, str]) -> str:
        """The variant for a request; ServiceError if it has no such container, or names a model without need."""
        chosen = variant or self._by_weight()
        spec = self.variants[chosen].spec
        if refusal := spec.refusal(container) or spec.model_refusal(headers.get(TARGET_MODEL, "")):
            raise ServiceError("ValidationError", refusal)
        return chosen

    def counts(self) -> Mapping[str, int]:
        return {name: len(fleet) for name, fleet in self.fleets.items()}

    def processes(self) -> list[int]:
        return [process for fleet in self._all_fleets.values() for process in fleet.processes]

    def end(self, patience: float = DRAIN_SECONDS) -> None:
        """End all instances, when their requests are answered, or after so many seconds."""
        for fleet in self._all_fleets.values():
            fleet.end(patience)
        if self._mirrors is not None:
            self._mirrors.shutdown(wait=False, cancel_futures=True)

    @property
    def _all_fleets(self) -> Mapping[str, Fleet]:
        return {**self.fleets, **self._shadow_fleets}

    def mirror(self, body: bytes, headers: Mapping[str, str], note: Callable[[Variant, Reply], None]) -> None:
        """Send shadow variants their share of the requests; note gets their answers, and nobody waits for them."""
        of_all = sum(self.weights.values())
        for name, shadow in self.shadows.items():
            is_chosen = self._chance() * of_all < shadow.weight
            if self._mirrors is not None and is_chosen and self._room.acquire(blocking=False):
                with suppress(RuntimeError):  # the generation has just been ended
                    self._mirrors.submit(self._mirror, name, body, headers, note)

    def _mirror(
        self, name: str, body: bytes, headers: Mapping[str, str], note: Callable[[Variant, Reply], None]
    ) -> None:
        try:
            note(self.shadows[name], self._shadow_fleets[name].invoke(body, headers))
        except InstanceError as error:
            _LOG.warning("the shadow variant %s: %s", name, error)
        finally:
            self._room.release()

    def _by_weight(self) -> str:
        left = self._chance() * sum(self.weights.values())
        for name, weight in self.weights.items():
            left -= weight
            if left < 0:
                return name
        return next(iter(self.weights))


def _fleets(variants: tuple[Variant, ...]) -> dict[str, Fleet]:
    return {variant.name: Fleet(variant.spec, variant.serverless.get("MaxConcurrency")) for variant in variants}


def _started(variant: str, start: Future[None]) -> None:
    """Wait for the start of a variant; InstanceError says in SageMaker's words which container failed, and here why."""
    try:
        start.result()
    except PingFailedError as error:
        where = f"The {error.container} container for production variant {variant}"
        words = f"{where} did not pass the ping health check. Please check CloudWatch logs for this endpoint."
        raise InstanceError(f"{words} [local AWS] {error.reason}") from error
