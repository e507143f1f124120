"""What a rule over settings says. The rules themselves are in combinations.py and hyperparameters.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from pipeline.settings.tree import Settings


@dataclass(frozen=True)
class Problem:
    """A key, what is wrong with it and what to do, and the other keys that it depends on."""

    key: str
    text: str
    also: tuple[str, ...] = ()


Rule: TypeAlias = Callable[[Settings], Iterator[Problem]]


def broken(rules: Iterable[Rule], settings: Settings) -> list[Problem]:
    """What the rules say. A problem about keys of which another spoke already waits until that one is mended."""
    found: list[Problem] = []
    for problem in (problem for rule in rules for problem in rule(settings)):
        told = [key for one in found for key in (one.key, *one.also)]
        if not any(_same_or_inside(key, other) for key in (problem.key, *problem.also) for other in told):
            found.append(problem)
    return found


def _same_or_inside(key: str, other: str) -> bool:
    return f"{key}.".startswith(f"{other}.") or f"{other}.".startswith(f"{key}.")
