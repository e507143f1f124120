"""Rules over settings: they find values that are valid alone and exclude each other, before AWS refuses them.

A rule is a function that yields a problem for the key that is to be changed. The rules are in image_rules.py,
endpoint_rules.py and training_rules.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from pipeline.settings.tree import Settings


@dataclass(frozen=True)
class Problem:
    """A key, what is wrong with it, what to do, and the other keys that it depends on."""

    key: str
    cause: str
    remedy: str
    related: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key that the problem is about."""
        return (self.key, *self.related)


Rule: TypeAlias = Callable[[Settings], Iterator[Problem]]


def find_problems(rules: Iterable[Rule], settings: Settings) -> list[Problem]:
    """The problems that the rules find. If two are about the same key, the second waits until the first is solved."""
    problems: list[Problem] = []
    for problem in (problem for rule in rules for problem in rule(settings)):
        reported = [key for earlier in problems for key in earlier.keys]
        if not any(_overlap(key, other) for key in problem.keys for other in reported):
            problems.append(problem)
    return problems


def _overlap(key: str, other: str) -> bool:
    return f"{key}.".startswith(f"{other}.") or f"{other}.".startswith(f"{key}.")
