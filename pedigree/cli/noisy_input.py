"""Finds the definition in the output of a program that prints other lines, too.

The SageMaker SDK, version 2, logs to standard output: `sagemaker.config INFO - Not applying SDK defaults …`. A
definition begins a line with a brace. What comes before it becomes empty lines, so that its own lines keep their
numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

_MEMBERS = ("Steps", "PipelineDefinition")


@dataclass(frozen=True)
class FoundDefinition:
    """The text of a definition, and the lines around it that are not part of it."""

    text: str
    passed_over: tuple[str, ...] = ()


def find(text: str) -> FoundDefinition:
    """The definition in a text; the text itself if there is nothing around it, or no definition in it."""
    content = text.strip()
    if content.startswith("{") and content.endswith("}"):
        return FoundDefinition(text)
    for start in _line_starts(text):
        end = _end(text, start)
        if end:
            before, after = text[:start], text[end:]
            return FoundDefinition("\n" * before.count("\n") + text[start:end], (*_lines(before), *_lines(after)))
    return FoundDefinition(text)


def _line_starts(text: str) -> Iterator[int]:
    """The positions of all braces that begin a line."""
    position = 0 if text.startswith("{") else text.find("\n{") + 1
    while text.startswith("{", position):
        yield position
        position = text.find("\n{", position) + 1 or len(text)


def _end(text: str, start: int) -> int:
    """The end of the definition that starts there; 0 if none does."""
    try:
        document, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return 0
    return end if any(name in document for name in _MEMBERS) else 0


def _lines(text: str) -> Iterator[str]:
    return (line.strip() for line in text.splitlines() if line.strip())
