"""What runs for an endpoint, and what it is told to become."""

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
from pedigree.localaws.services.sagemaker.endpoints.instances import Reply

_COMING_SECONDS = 60.0


@dataclass(frozen=True)
class Order:
    """What an endpoint is to run: a configuration, instances and weights by variant, and what is captured."""

    configuration: str
    counts: Mapping[str, int] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    capture: Mapping[str, Any] | None = None
    deployment: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, endpoint: Document) -> Order:
        """What an endpoint was told last and has become, or is becoming for the first time."""
        counts, weights = endpoint.get("_counts", {}), endpoint.get("_weights", {})
        return cls(endpoint["EndpointConfigName"], counts, weights, endpoint.get("_capture"))

    def resized(self, counts: Mapping[str, int], weights: Mapping[str, float]) -> Document:
        """The members of an endpoint whose variants are to have other instances, or weights, after a restart, too."""
        return {"_counts": {**self.counts, **counts}, "_weights": {**self.weights, **weights}}

    def document(self) -> Document:
        """The same, to be kept."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Invoked:
    """What an endpoint said, which variant said it, and of which generation that is one."""

    variant: str
    reply: Reply
    generation: Generation

    @property
    def role(self) -> str:
        """In whose name the variant runs."""
        return self.generation.variants[self.variant].role


class Live:
    """A generation, and during an update another one, with its share of the traffic."""

    def __init__(self, *, is_back: bool = False) -> None:
        self.current: Generation | None = None
        self.incoming: Generation | None = None
        self.share = 0.0
        self.work = threading.Lock()
        self.is_over = False
        self._is_back = is_back
        self._came = threading.Event()

    def generation(self) -> Generation | None:
        """Whom to ask next. An endpoint that was in service before a restart is waited for."""
        if self.current is None and self._is_back:
            self._came.wait(_COMING_SECONDS)
        incoming = self.incoming
        return incoming if incoming is not None and random.random() < self.share else self.current  # noqa: S311  # a share

    def begin(self, incoming: Generation) -> None:
        """Have a generation that comes up, and is asked nothing yet."""
        self.share = 0.0
        self.incoming = incoming

    def replace(self) -> Generation | None:
        """Ask the new generation alone from now on; the old one."""
        old, self.current, self.incoming, self.share = self.current, self.incoming, None, 0.0
        self._came.set()
        return old

    def drop(self) -> None:
        """Ask the new generation no more, and end it."""
        dropped, self.share, self.incoming = self.incoming, 0.0, None
        self._came.set()
        if dropped is not None:
            dropped.end()

    def end(self, patience: float = DRAIN_SECONDS) -> None:
        """End everything."""
        self.is_over = True
        self._came.set()
        for generation in (self.current, self.incoming):
            if generation is not None:
                generation.end(patience)
