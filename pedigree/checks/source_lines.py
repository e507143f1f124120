"""The line numbers that JSON pointers lead to in a text: for editors, annotations and reviews."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping

from pedigree.language.pointers import escape

_LEXEME = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')


class _Container:
    """An object or a list that has been opened, and how far it has been read."""

    def __init__(self, pointer: str, is_list: bool) -> None:
        self.pointer = pointer
        self.is_list = is_list
        self.index = 0
        self.key: str | None = None

    @property
    def next_pointer(self) -> str:
        """The pointer to the value that comes next."""
        return f"{self.pointer}/{self.index if self.is_list else escape(self.key or '')}"


def line_numbers(text: str, pointers: Collection[str]) -> Mapping[str, int]:
    """The line, counted from 1, on which each value begins; for a member of an object, the line of its key."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    wanted = set(pointers)
    line_of = {"": 1}
    for pointer, position in _values(text):
        if pointer in wanted:
            line_of[pointer] = bisect_right(starts, position)
    return {pointer: line_of.get(pointer, 1) for pointer in wanted}


def _values(text: str) -> Iterator[tuple[str, int]]:
    """The pointer and the position of every value. The text is valid JSON: it has been parsed before."""
    stack: list[_Container] = []
    key_position = 0
    for match in _LEXEME.finditer(text):
        lexeme, top = match[0], stack[-1] if stack else None
        if lexeme in "]}":
            stack.pop()
        elif lexeme == ",":
            assert top is not None
            top.index, top.key = top.index + 1, None
        elif lexeme == ":":
            continue
        elif top and not top.is_list and top.key is None:
            top.key, key_position = json.loads(lexeme), match.start()
        else:
            pointer = top.next_pointer if top else ""
            yield pointer, key_position if top and not top.is_list else match.start()
            if lexeme in "[{":
                stack.append(_Container(pointer, lexeme == "["))
