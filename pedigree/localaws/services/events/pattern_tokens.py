"""The tokens of an event pattern's JSON, and the words in which AWS says where it is wrong. Pure.

EventBridge reads patterns with a streaming parser: it reports the first fault, and the place that it has read up to.
It reads texts lazily, so the place of a text that nobody has asked for is its first quote.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

OBJECT, END_OBJECT, ARRAY, END_ARRAY = "{", "}", "[", "]"
NAME, TEXT, NUMBER, LITERAL = "name", "text", "number", "literal"
_KINDS = {OBJECT: ("Object", END_OBJECT, "Object entries"), ARRAY: ("Array", END_ARRAY, "Array entries")}
_LITERALS = {"true": True, "false": False, "null": None}
_VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[\w$]+")
_MOST_SHOWN = 500


class PatternSyntaxError(ValueError):
    """A pattern is malformed; the message is AWS's, without what comes before the reason."""


@dataclass(frozen=True)
class Token:
    """A piece of JSON."""

    kind: str
    value: Any = None


class TokenReader:
    """Reads the tokens of a pattern one by one, and knows the place for an error."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._read = 0
        self._open: list[tuple[str, int]] = []
        self._is_first = True
        self._ahead: Token | None = None

    def next(self) -> Token:
        """Read a token; a member's name is read together with the start of its value."""
        if self._ahead is not None:
            token, self._ahead = self._ahead, None
            return token
        char = self._next_char()
        if self._open and char == _KINDS[self._open[-1][0]][1]:
            self._open.pop()
            self._is_first = False
            return self._take(Token(char), 1)
        if self._open and not self._is_first:
            self._expect(",", f"was expecting comma to separate {_KINDS[self._open[-1][0]][2]}")
        self._is_first = False
        if self._open and self._open[-1][0] == OBJECT:
            name = Token(NAME, self._string("double-quote to start field name"))
            self._expect(":", "was expecting a colon to separate field name and value")
            self._ahead = self._value()
            return name
        return self._value()

    def text(self, token: Token) -> str:
        """Return the value of a text, which is then read to its end."""
        self._read = self._position
        return str(token.value)

    def error(self, reason: str) -> PatternSyntaxError:
        """Return the error for the place that is read up to."""
        return PatternSyntaxError(reason + self._place(self._read))

    def _next_char(self) -> str:
        self._position = _skipped(self._text, self._position)
        if self._position < len(self._text):
            return self._text[self._position]
        self._read = len(self._text)
        mark, start = self._open[-1] if self._open else (OBJECT, 0)
        reason = f"expected close marker for {_KINDS[mark][0]} (start marker {self._place(start, '')})"
        raise self.error(f"Unexpected end-of-input: {reason}" if self._open else "Filter is not an object")

    def _expect(self, char: str, reason: str) -> None:
        if self._next_char() != char:
            raise self._unexpected(reason)
        self._position += 1
        self._next_char()

    def _value(self) -> Token:
        char = self._next_char()
        if char in _KINDS:
            self._open.append((char, self._position))
            self._is_first = True
            return self._take(Token(char), 1)
        if char == '"':
            start = self._position
            token = Token(TEXT, self._string(""))
            self._read = start + 1
            return token
        if number := _NUMBER.match(self._text, self._position):
            return self._take(Token(NUMBER, json.loads(number[0])), len(number[0]))
        return self._literal()

    def _literal(self) -> Token:
        word = _WORD.match(self._text, self._position)
        if word is None:
            raise self._unexpected(f"expected a valid value {_VALUES}")
        token = self._take(Token(LITERAL, _LITERALS.get(word[0])), len(word[0]))
        if word[0] not in _LITERALS:
            raise self.error(f"Unrecognized token '{word[0]}': was expecting {_VALUES}")
        return token

    def _string(self, expected: str) -> str:
        if self._text[self._position] != '"':
            raise self._unexpected(f"was expecting {expected}")
        match = _STRING.match(self._text, self._position)
        if match is None:
            self._read = len(self._text)
            raise self.error("Unexpected end-of-input: was expecting closing quote for a string value")
        self._take(Token(TEXT), len(match[0]))
        return str(json.loads(match[0]))

    def _take(self, token: Token, length: int) -> Token:
        self._position += length
        self._read = self._position
        return token

    def _unexpected(self, reason: str) -> PatternSyntaxError:
        self._read = self._position
        char = self._text[self._position]
        return self.error(f"Unexpected character ('{char}' (code {ord(char)})): {reason}")

    def _place(self, position: int, before: str = "\n ") -> str:
        cut = len(self._text) - _MOST_SHOWN
        shown = f'"{self._text[:_MOST_SHOWN]}"' + (f"[truncated {cut} chars]" if cut > 0 else "")
        line, start = self._text.count("\n", 0, position) + 1, self._text.rfind("\n", 0, position) + 1
        return f"{before}at [Source: (String){shown}; line: {line}, column: {position - start + 1}]"


def _skipped(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position
