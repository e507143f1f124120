"""Data: what a model learns from, and what it is judged by."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from pedigree.checks.finding import Severity, Spot
from pedigree.checks.jobs import Job, at, entries
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject

_TESTING = re.compile(r"(?:^|[-_.])(?:test|testing|validation|valid|val|eval)(?:[-_.]|$)", re.IGNORECASE)
_TRAINING = re.compile(r"(?:^|[-_.])(?:train|training)(?:[-_.]|$)", re.IGNORECASE)


@rule("SCR012", Severity.WARNING)
def same(subject: Subject) -> Iterator[Spot]:
    """Training and test data are the same.

    A model that is judged by what it has learnt from looks better than it is.
    """
    learnt = {
        _key(value): job.step.name
        for job in subject.jobs
        for _, name, value in _channels(job)
        if job.trains and _TRAINING.search(name)
    }
    for job in subject.jobs:
        for pointer, name, value in _channels(job):
            trainer = learnt.get(_key(value)) if value and _TESTING.search(name) else None
            if trainer:
                cause = f"{name} is the data on which {trainer} trains"
                yield Spot(pointer, cause, "keep some data apart, and judge by that")


@rule("SCR013", Severity.WARNING)
def prefixes(subject: Subject) -> Iterator[Spot]:
    """An S3 prefix that also matches another one.

    S3Prefix compares characters: s3://b/train also takes s3://b/train_old. End it with a slash.
    """
    texts: dict[str, list[str]] = {}
    for step in subject.steps:
        for pointer, value in subject.reads(step):
            text = subject.plain(value)
            if isinstance(text, str):
                texts.setdefault(text, []).append(pointer)
    ordered = sorted(texts)
    for index, text in enumerate(ordered):
        others = takewhile(lambda other, text=text: other.startswith(text), ordered[index + 1 :])  # type: ignore[misc]
        sibling = next((other for other in others if re.match(r"[\w-]", other.removeprefix(text))), None)
        if sibling and not text.endswith("/"):
            yield from (Spot(pointer, f"{text} also matches {sibling}", f"write {text}/") for pointer in texts[text])


def _channels(job: Job) -> Iterator[tuple[str, str, Any]]:
    path = ("DataSource", "S3DataSource", "S3Uri")
    for index, one in entries(job.get("InputDataConfig")):
        yield job.place("InputDataConfig", str(index), *path), str(one.get("ChannelName", "")), at(one, *path)
    for index, one in entries(job.get("ProcessingInputs")):
        value = at(one, "S3Input", "S3Uri")
        yield job.place("ProcessingInputs", str(index), "S3Input/S3Uri"), str(one.get("InputName", "")), value


def _key(value: Any) -> str:
    return (value if isinstance(value, str) else json.dumps(value, sort_keys=True)).rstrip("/")
