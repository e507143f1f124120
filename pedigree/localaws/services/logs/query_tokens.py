"""The tokens of a query of CloudWatch Logs Insights."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""(?P<skip>\s+|\#[^\n]*)
    |"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]+`|/(?:[^/\\\n]|\\.)+/
    |[@A-Za-z_][\w.@-]*|-?\d+(?:\.\d+)?(?:ms|[smhd])?|=~|!=|<=|>=|[=<>()\[\],|*]""",
    re.VERBOSE,
)
_NAME = re.compile(r"[@A-Za-z_`]")
_QUOTES = "\"'`"


class QueryError(ValueError):
    """A query that is malformed, or that has what the local AWS does not follow."""


class Tokens:
    """Reads tokens one after the other; words are compared without their case."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._position = 0

    def peek(self) -> str:
        """The next token; empty at the end."""
        return self._tokens[self._position] if self._position < len(self._tokens) else ""

    def next(self) -> str:
        token = self.peek()
        if not token:
            raise QueryError("the query ends too early")
        self._position += 1
        return token

    def take(self, token: str) -> bool:
        """Go past a token, if it is the next one."""
        is_next = self.peek() == token
        self._position += is_next
        return is_next

    def take_word(self, word: str) -> bool:
        is_next = self.peek().lower() == word
        self._position += is_next
        return is_next

    def expect(self, token: str) -> None:
        if not self.take(token):
            raise QueryError(f"{self.peek() or 'the end'!r:.60} stands where {token} is expected")

    def name(self) -> str:
        """The name of a field or a function."""
        token = self.next()
        if not _NAME.match(token):
            raise QueryError(f"{token!r:.60} stands where the name of a field is expected")
        return unquoted(token)


def unquoted(token: str) -> str:
    """A text without its quotes and escapes; another token as it stands."""
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token[0] in _QUOTES else token


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise QueryError(f"{text[position : position + 20]!r} is not understood")
        position = match.end()
        if match["skip"] is None:
            tokens.append(match[0])
    return tokens
