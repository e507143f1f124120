"""What runs for an endpoint, and what it is to become."""

from __future__ import annotations

import dataclasses
import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pedigree.localaws.kernel.store import Document
from pedigree.localaws.services.sagemaker.endpoints.fleet import DRAIN_SECONDS
from pedigree.localaws.services.sagemaker.endpoints.generation import Generation
from pedigree.localaws.services.sagemaker.endpoints.server_reply import Reply

_COMING_SECONDS = 60.0
_AT_ONCE, _MOST_AT_ONCE = "MaxConcurrentInvocationsPerInstance", 4


@dataclass(frozen=True)
class DesiredState:
    """What an endpoint is to run: a configuration, instances and weights by variant, and what is captured."""

    configuration: str
    counts: Mapping[str, int] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    capture: Mapping[str, Any] | None = None
    deployment: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, endpoint: Document) -> DesiredState:
        """The state that an endpoint has reached, or is to reach for the first time."""
        counts, weights = endpoint.get("_counts", {}), endpoint.get("_weights", {})
        return cls(endpoint["EndpointConfigName"], counts, weights, endpoint.get("_capture"))

    def resized(self, counts: Mapping[str, int], weights: Mapping[str, float]) -> Document:
        """The members of an endpoint whose variants get other instances or weights."""
        return {"_counts": {**self.counts, **counts}, "_weights": {**self.weights, **weights}}

    def document(self) -> Document:
        """The state in the store's form."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class EndpointAnswer:
    """A reply, with the variant and the generation that it comes from."""

    variant: str
    reply: Reply
    generation: Generation

    @property
    def role(self) -> str:
        """The role of the variant's model."""
        return self.generation.variants[self.variant].role


class EndpointDeployment:
    """The generation that runs, and during an update the incoming one with its share of the traffic."""

    def __init__(self, *, is_back: bool = False) -> None:
        self.current: Generation | None = None
        self.incoming: Generation | None = None
        self.share = 0.0
        self.work = threading.Lock()
        self.is_over = False
        self._is_back = is_back
        self._came = threading.Event()

    def generation(self) -> Generation | None:
        """The generation for the next request. An endpoint that was in service before a restart is waited for."""
        if self.current is None and self._is_back:
            self._came.wait(_COMING_SECONDS)
        incoming = self.incoming
        return incoming if incoming is not None and random.random() < self.share else self.current  # noqa: S311  # a share

    def async_capacity(self) -> int:
        """How many asynchronous invocations there is room for at once."""
        if self.current is None or not self.current.asynchronous:
            return 0
        client = self.current.asynchronous.get("ClientConfig") or {}
        return sum(self.current.counts().values()) * int(client.get(_AT_ONCE, _MOST_AT_ONCE))

    def role(self) -> str | None:
        """The role of the first variant; None if nothing runs."""
        return next(iter(self.current.variants.values())).role if self.current else None

    def begin(self, incoming: Generation) -> None:
        """Take in a generation that starts; it gets no traffic yet."""
        self.share = 0.0
        self.incoming = incoming

    def replace(self) -> Generation | None:
        """Send all traffic to the incoming generation; return the old one."""
        old, self.current, self.incoming, self.share = self.current, self.incoming, None, 0.0
        self._came.set()
        return old

    def drop(self) -> None:
        """Send no more traffic to the incoming generation, and end it."""
        dropped, self.share, self.incoming = self.incoming, 0.0, None
        self._came.set()
        if dropped is not None:
            dropped.end()

    def end(self, patience: float = DRAIN_SECONDS) -> None:
        """End both generations."""
        self.is_over = True
        self._came.set()
        for generation in (self.current, self.incoming):
            if generation is not None:
                generation.end(patience)
