"""A generation: the fleets of one configuration of an endpoint, one for each variant, and what is captured of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from pedigree.localaws.services.sagemaker.endpoints.capture import Capture
from pedigree.localaws.services.sagemaker.endpoints.fleet import DRAIN_SECONDS, Fleet
from pedigree.localaws.services.sagemaker.endpoints.instances import (
    ANSWER_SECONDS,
    InstanceError,
    InstanceSpec,
    Reply,
    SlowError,
)

Chance = Callable[[], float]
TIMED_OUT = 0
"""The status of an answer that did not come in time."""
_TOO_SLOW = (
    b"Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    b"each container in Amazon CloudWatch, resolve the issue, and try again."
)


@dataclass(frozen=True)
class Variant:
    """A variant: what its instances run, how many there are, and its weight among the others."""

    name: str
    spec: InstanceSpec
    count: int
    weight: float = 1.0
    role: str = ""
    serverless: Mapping[str, Any] = field(default_factory=dict)


class Generation:
    """The fleets of a configuration."""

    def __init__(
        self,
        configuration: str,
        variants: tuple[Variant, ...],
        name: str = "",
        capture: Capture | None = None,
        chance: Chance = random.random,
    ) -> None:
        self.configuration = configuration
        self.name = name
        self.capture = capture
        self.variants = {variant.name: variant for variant in variants}
        self.fleets = {variant.name: Fleet(variant.spec) for variant in variants}
        self.weights = {variant.name: variant.weight for variant in variants}
        self._chance = chance

    def start(self) -> None:
        """Have all instances; InstanceError if one does not come up, and then none is left."""
        try:
            with ThreadPoolExecutor(len(self.variants)) as pool:
                coming = [pool.submit(self.fleets[name].resize, one.count) for name, one in self.variants.items()]
            for one in coming:
                one.result()
        except InstanceError:
            self.end()
            raise

    def invoke(self, body: bytes, headers: Mapping[str, str], variant: str = "") -> tuple[str, Reply]:
        """Ask a variant, the one that is named or one by weight; its name, and what it says, or that it is too slow."""
        chosen = variant or self._by_weight()
        try:
            return chosen, self.fleets[chosen].invoke(body, headers)
        except SlowError:
            return chosen, Reply(TIMED_OUT, "text/plain", _TOO_SLOW, ANSWER_SECONDS)

    def counts(self) -> Mapping[str, int]:
        """How many instances each variant has."""
        return {name: len(fleet) for name, fleet in self.fleets.items()}

    def processes(self) -> list[int]:
        """The processes of all instances."""
        return [process for fleet in self.fleets.values() for process in fleet.processes]

    def end(self, patience: float = DRAIN_SECONDS) -> None:
        """End every instance, when what it is asked is answered, or after so many seconds."""
        for fleet in self.fleets.values():
            fleet.end(patience)

    def _by_weight(self) -> str:
        left = self._chance() * sum(self.weights.values())
        for name, weight in self.weights.items():
            left -= weight
            if left < 0:
                return name
        return next(iter(self.weights))
