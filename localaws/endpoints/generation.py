"""A generation: the fleets of one configuration of an endpoint, one for each variant."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from localaws.endpoints.fleet import Fleet
from localaws.endpoints.instances import InstanceError, Recipe, Reply

Chance = Callable[[], float]


@dataclass(frozen=True)
class Variant:
    """A variant: what its instances run, how many there are, and its weight among the others."""

    name: str
    recipe: Recipe
    count: int
    weight: float = 1.0


class Generation:
    """The fleets of a configuration."""

    def __init__(self, configuration: str, variants: tuple[Variant, ...], chance: Chance = random.random) -> None:
        self.configuration = configuration
        self.variants = {variant.name: variant for variant in variants}
        self.fleets = {variant.name: Fleet(variant.recipe) for variant in variants}
        self.weights = {variant.name: variant.weight for variant in variants}
        self._chance = chance

    def start(self) -> None:
        """Have all instances; InstanceError if one does not come up, and then none is left."""
        try:
            for name, variant in self.variants.items():
                self.fleets[name].resize(variant.count)
        except InstanceError:
            self.end()
            raise

    def invoke(self, body: bytes, headers: Mapping[str, str], variant: str = "") -> tuple[str, Reply]:
        """Ask a variant, the one that is named or one by weight; its name, and what it says."""
        chosen = variant or self._by_weight()
        return chosen, self.fleets[chosen].invoke(body, headers)

    def counts(self) -> Mapping[str, int]:
        """How many instances each variant has."""
        return {name: len(fleet) for name, fleet in self.fleets.items()}

    def processes(self) -> list[int]:
        """The processes of all instances."""
        return [process for fleet in self.fleets.values() for process in fleet.processes]

    def end(self) -> None:
        """End every instance."""
        for fleet in self.fleets.values():
            fleet.end()

    def _by_weight(self) -> str:
        left = self._chance() * sum(self.weights.values())
        for name, weight in self.weights.items():
            left -= weight
            if left < 0:
                return name
        return next(iter(self.weights))
