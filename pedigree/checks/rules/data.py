"""Data: what a model is trained on, and what it is tested with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from pedigree.checks.finding import Severity, Violation
from pedigree.checks.jobs import JobRequest
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.pointers import at, entries
from pedigree.language.text import brief

_TESTING = re.compile(r"(?:^|[-_.])(?:test|testing|validation|valid|val|eval)(?:[-_.]|$)", re.IGNORECASE)
_TRAINING = re.compile(r"(?:^|[-_.])(?:train|training)(?:[-_.]|$)", re.IGNORECASE)
_PROCESSING = "/opt/ml/processing/"
_ADDRESSES = ("S3Uri", "S3OutputPath", "ModelDataUrl")
_BUCKET = re.compile(r"s3://([^/]+)")
_NOT_IN_BUCKETS = re.compile(r"[^\w.-]", re.ASCII)


@rule("SCR012", Severity.WARNING)
def same_data(subject: Subject) -> Iterator[Violation]:
    """Same data for training and testing.

    A model that is tested with the data it was trained on looks better than it is.
    """
    trained_on = {
        _key(value): job.step.name
        for job in subject.jobs
        for _, name, value in _inputs(job)
        if job.trains and _TRAINING.search(name)
    }
    for job in subject.jobs:
        for pointer, name, value in _inputs(job):
            trainer = trained_on.get(_key(value)) if value and _TESTING.search(name) else None
            if trainer:
                cause = f"{name} is the data that {trainer} trains on"
                yield Violation(pointer, cause, "keep some data apart, and test with that")


@rule("SCR013", Severity.WARNING)
def ambiguous_prefix(subject: Subject) -> Iterator[Violation]:
    """S3 prefix that also matches another one.

    S3Prefix compares characters: s3://b/train also takes s3://b/train_old. End it with a slash.
    """
    pointers_of: dict[str, list[str]] = {}
    for step in subject.steps:
        for pointer, value in subject.inputs(step):
            prefix = subject.plain(value)
            if isinstance(prefix, str):
                pointers_of.setdefault(prefix, []).append(pointer)
    prefixes = sorted(pointers_of)
    for index, prefix in enumerate(prefixes):
        longer = takewhile(lambda other, prefix=prefix: other.startswith(prefix), prefixes[index + 1 :])  # type: ignore[misc]
        sibling = next((other for other in longer if re.match(r"[\w-]", other.removeprefix(prefix))), None)
        if sibling and not prefix.endswith("/"):
            for pointer in pointers_of[prefix]:
                yield Violation(pointer, f"{prefix} also matches {sibling}", f"write {prefix}/")


@rule("SCR015", Severity.WARNING)
def parent_folder(subject: Subject) -> Iterator[Violation]:
    """S3 address with "..".

    S3 has no folders: ".." is a name like any other, and nothing is found there.
    """
    for text in subject.texts:
        if text.value.startswith("s3://") and ".." in text.value.split("/"):
            yield Violation(text.pointer, f'S3 takes ".." in {brief(text.value)} as a name', "write the whole address")


@rule("SCR019", Severity.ERROR)
def local_path(subject: Subject) -> Iterator[Violation]:
    """Path that a processing job cannot use.

    The LocalPath of an input begins with /opt/ml/processing/, that of an output with a slash; CreateProcessingJob
    refuses others.
    """
    for job in subject.jobs:
        for pointer, path in _local_paths(job):
            if not f"{path}/".startswith(_PROCESSING):
                yield Violation(pointer, f"an input cannot be at {brief(path)}", f"write a path below {_PROCESSING}")
        for index, output in entries(job.get("ProcessingOutputConfig", "Outputs")):
            path = at(output, "S3Output", "LocalPath")
            if isinstance(path, str) and not path.startswith("/"):
                pointer = job.pointer_to(f"ProcessingOutputConfig/Outputs/{index}/S3Output/LocalPath")
                yield Violation(pointer, f"an output cannot be at {brief(path)}", f"write a path below {_PROCESSING}")


@rule("SCR020", Severity.ERROR)
def same_local_path(subject: Subject) -> Iterator[Violation]:
    """Two inputs at one path.

    CreateProcessingJob refuses that with an error without words.
    """
    for job in subject.jobs:
        seen: set[str] = set()
        for pointer, path in _local_paths(job):
            if path.rstrip("/") in seen:
                yield Violation(pointer, f"another input is at {path}, too", "give each input a path of its own")
            seen.add(path.rstrip("/"))


@rule("SCR021", Severity.ERROR)
def impossible_bucket(subject: Subject) -> Iterator[Violation]:
    """S3 address in a bucket that cannot exist.

    A bucket's name has letters, digits, dots and hyphens (very old ones underscores). Another character often is
    from a placeholder that nothing has filled.
    """
    for text in subject.texts:
        match = _BUCKET.match(text.value) if text.key in _ADDRESSES else None
        if match and not match[1].startswith("arn:") and (wrong := _NOT_IN_BUCKETS.search(match[1])):
            cause = f"no bucket has {wrong[0]} in its name, as {match[1]} has"
            yield Violation(text.pointer, cause, "write the bucket's name")


def _local_paths(job: JobRequest) -> Iterator[tuple[str, str]]:
    """Where the inputs of a processing job are put, with the pointers."""
    for index, data in entries(job.get("ProcessingInputs")):
        path = at(data, "S3Input", "LocalPath")
        if isinstance(path, str):
            yield job.pointer_to(f"ProcessingInputs/{index}/S3Input/LocalPath"), path


def _inputs(job: JobRequest) -> Iterator[tuple[str, str, Any]]:
    """The pointer, the name and the address of every channel or processing input."""
    path = ("DataSource", "S3DataSource", "S3Uri")
    for index, channel in entries(job.get("InputDataConfig")):
        pointer = job.pointer_to("InputDataConfig", str(index), *path)
        yield pointer, str(channel.get("ChannelName", "")), at(channel, *path)
    for index, data in entries(job.get("ProcessingInputs")):
        pointer = job.pointer_to("ProcessingInputs", str(index), "S3Input/S3Uri")
        yield pointer, str(data.get("InputName", "")), at(data, "S3Input", "S3Uri")


def _key(value: Any) -> str:
    return (value if isinstance(value, str) else json.dumps(value, sort_keys=True)).rstrip("/")
