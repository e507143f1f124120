"""The proof: what each part of a journey uses, and that it fails without it, by the name of what is missing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.proof.rights import Right
from tests.proof.stage import OPERATOR, Stage

# S3 answers HEAD without a body, so whoever asks by that, like the AWS CLI before it copies, hears no more.
_OTHER_WORDS = {"s3:GetObject": "(403) when calling the HeadObject operation: Forbidden"}


def _nothing(_stage: Stage) -> None:
    """Nothing has to be brought about."""


@dataclass(frozen=True)
class Part:
    """A part of the run, done by the project's own code: it answers why it failed, or nothing.

    roles: whose rights it proves. files: what the operator has meanwhile. before: what somebody else does to the
    account each time, so that there is something to do. If it fails, it goes on the next time where it ended.
    """

    name: str
    do: Callable[[Stage], str]
    roles: tuple[str, ...] = (OPERATOR,)
    files: tuple[str, ...] = ()
    before: Callable[[Stage], None] = _nothing


@dataclass(frozen=True)
class Journey:
    """Parts in their order, in an account of its own; values: its settings."""

    name: str
    parts: Sequence[Part]
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Proof:
    """A right, the first part that uses it, and what that part, or a later one, answered without it."""

    right: Right
    part: str
    words: str


class FailedError(Exception):
    """A part that does not do what it should with all its rights."""


def proofs(journey: Journey, known: Collection[Right] = ()) -> Iterator[Proof]:
    """For each right that a journey uses, and that is not known yet: that a part of it fails without it.

    A part may end for another reason before it comes to a right, if it was held up elsewhere before; a later one is
    asked then.
    """
    used = {part.name: rights for part, rights in _recorded(journey)}
    first = {right: part for part, rights in reversed(used.items()) for right in rights}
    proven = set(known)
    with tempfile.TemporaryDirectory() as folder, Stage(Path(folder), journey.values) as stage:
        for part in journey.parts:
            stage.person(part.files)
            for right in used[part.name]:
                if right in proven:
                    continue
                words = _without(stage, part, right)
                if words:
                    proven.add(right)
                    yield Proof(right, first[right], words)
            _with_everything(stage, part)


def _recorded(journey: Journey) -> Iterator[tuple[Part, tuple[Right, ...]]]:
    """Each part with the rights that it uses, in the order of their first use."""
    with tempfile.TemporaryDirectory() as folder, Stage(Path(folder), journey.values) as stage:
        for part in journey.parts:
            stage.person(part.files)
            yield part, _with_everything(stage, part)


def _with_everything(stage: Stage, part: Part) -> tuple[Right, ...]:
    part.before(stage)
    stage.forget()
    words = part.do(stage)
    if words:
        raise FailedError(f"{part.name} fails with all its rights: {words}")
    return stage.used(part.roles)


def _without(stage: Stage, part: Part, right: Right) -> str:
    """How a part fails without a right, if that is what it says; else nothing."""
    part.before(stage)
    with stage.lacking(right):
        words = part.do(stage)
        return words if names(right, words) and stage.denied(right) else ""


def names(right: Right, words: str) -> bool:
    """Whether a failure says which action is missing, as far as its service can."""
    return right.action.lower() in words.lower() or _OTHER_WORDS.get(right.action, right.action) in words
