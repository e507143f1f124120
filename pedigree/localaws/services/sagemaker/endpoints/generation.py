"""A generation of an endpoint: the fleets of one configuration, one for each variant."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
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
    ) -> None:
        self.configuration = configuration
        self.name = name
        self.capture = capture
        self.asynchronous = asynchronous
        self.variants = {variant.name: variant for variant in variants}
        self.fleets = {variant.name: Fleet(variant.spec) for variant in variants}
        self.weights = {variant.name: variant.weight for variant in variants}
        self._chance = chance

    def start(self) -> None:
        """Start all instances; InstanceError if one does not start, and then none is left."""
        try:
            with ThreadPoolExecutor(len(self.variants)) as pool:
                started = {
                    name: pool.submit(self.fleets[name].resize, each.count) for name, each in self.variants.items()
                }
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
        return [process for fleet in self.fleets.values() for process in fleet.processes]

    def end(self, patience: float = DRAIN_SECONDS) -> None:
        """End all instances, when their requests are answered, or after so many seconds."""
        for fleet in self.fleets.values():
            fleet.end(patience)

    def _by_weight(self) -> str:
        left = self._chance() * sum(self.weights.values())
        for name, weight in self.weights.items():
            left -= weight
            if left < 0:
                return name
        return next(iter(self.weights))


def _started(variant: str, start: Future[None]) -> None:
    """Wait for the start of a variant; InstanceError says in SageMaker's words which container failed, and here why."""
    try:
        start.result()
    except PingFailedError as error:
        where = f"The {error.container} container for production variant {variant}"
        words = f"{where} did not pass the ping health check. Please check CloudWatch logs for this endpoint."
        raise InstanceError(f"{words} [local AWS] {error.reason}") from error
