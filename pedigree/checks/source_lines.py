"""Where in a text a JSON pointer leads: lines for editors, annotations and reviews."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping

from pedigree.language.expressions import escaped

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')


class _Frame:
    """An object or a list that has been opened, and how far it has been read."""

    def __init__(self, pointer: str, is_list: bool) -> None:
        self.pointer = pointer
        self.is_list = is_list
        self.index = 0
        self.key: str | None = None

    @property
    def inner(self) -> str:
        """The pointer to the value that comes next."""
        return f"{self.pointer}/{self.index if self.is_list else escaped(self.key or '')}"


def lines(text: str, pointers: Collection[str]) -> Mapping[str, int]:
    """The line, from 1 on, on which each of some values begins: that of its key, where it has one."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    wanted = set(pointers)
    found = {"": 1}
    for pointer, position in _values(text):
        if pointer in wanted:
            found[pointer] = bisect_right(starts, position)
    return {pointer: found.get(pointer, 1) for pointer in wanted}


def _values(text: str) -> Iterator[tuple[str, int]]:
    """Every value's pointer and position; the text is JSON, which a parser has said before."""
    stack: list[_Frame] = []
    key_at = 0
    for match in _TOKEN.finditer(text):
        sign, top = match[0], stack[-1] if stack else None
        if sign in "]}":
            stack.pop()
        elif sign == ",":
            assert top is not None
            top.index, top.key = top.index + 1, None
        elif sign == ":":
            continue
        elif top and not top.is_list and top.key is None:
            top.key, key_at = json.loads(sign), match.start()
        else:
            pointer = top.inner if top else ""
            yield pointer, key_at if top and not top.is_list else match.start()
            if sign in "[{":
                stack.append(_Frame(pointer, sign == "["))
