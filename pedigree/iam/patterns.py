"""The patterns of policies: wildcards, ARNs and variables, as regular expressions that are compiled once.

A pattern with a variable can be compiled only when the request is known; until then it is kept in pieces. The value of
a variable is taken literally, so that no caller can widen a policy by choosing a clever name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from pedigree.iam.request import Context

_WORD = re.compile(r"\$\{[^}]*\}|[*?]|[^*?$]+|\$")
_VARIABLE = re.compile(r"\$\{([^,}]+?)\s*(?:,\s*'([^']*)'\s*)?\}")
_LITERAL = {"${*}": "*", "${?}": "?", "${$}": "$"}
_ARN_COLONS = 5


class WildcardStyle(Enum):
    """What * and ? match in a pattern."""

    EXACT = "themselves"
    GLOB = "any characters"
    ARN = "any characters, but no colon before the last of an ARN's six parts"


class UnknownVariableError(ValueError):
    """A variable has no value in this request, so it is unknown whether the pattern matches."""


@dataclass(frozen=True)
class Variable:
    """A variable of a policy, which takes its value from the request's context or has a default."""

    key: str
    default: str | None

    def value(self, context: Context) -> str:
        """The value; UnknownVariableError if neither context nor default has one, or the context has several."""
        values = context.get(self.key, () if self.default is None else (self.default,))
        if len(values) != 1:
            raise UnknownVariableError(self.key)
        return values[0]


Piece = str | Variable


@dataclass(frozen=True)
class VariablePattern:
    """A pattern with variables: regular expressions, and the variables between them."""

    pieces: tuple[Piece, ...]
    flags: re.RegexFlag

    def match(self, text: str, context: Context) -> bool:
        """Whether the whole text matches; UnknownVariableError if a variable has no value."""
        filled = (re.escape(piece.value(context)) if isinstance(piece, Variable) else piece for piece in self.pieces)
        return _compiled("".join(filled), self.flags).fullmatch(text) is not None


@dataclass(frozen=True)
class PatternSet:
    """Patterns of which one must match; those without variables are one regular expression."""

    fixed: re.Pattern[str] | None
    with_variables: tuple[VariablePattern, ...]

    @property
    def required_keys(self) -> tuple[str, ...]:
        """The keys of the variables that have no default."""
        pieces = (piece for pattern in self.with_variables for piece in pattern.pieces)
        return tuple(piece.key for piece in pieces if isinstance(piece, Variable) and piece.default is None)

    def match(self, text: str, context: Context) -> bool:
        """Whether a pattern matches the whole text; UnknownVariableError if only an unknown one could."""
        if self.fixed is not None and self.fixed.fullmatch(text):
            return True
        unknown: UnknownVariableError | None = None
        for pattern in self.with_variables:
            try:
                if pattern.match(text, context):
                    return True
            except UnknownVariableError as error:
                unknown = error
        if unknown is not None:
            raise unknown
        return False


def compiled(texts: Iterable[str], style: WildcardStyle, *, variables: bool, ignore_case: bool = False) -> PatternSet:
    """Compile the patterns in texts."""
    flags = re.DOTALL | re.IGNORECASE if ignore_case else re.DOTALL
    every = [tuple(_pieces(text, style, variables, f"g{index}_")) for index, text in enumerate(texts)]
    fixed = ["".join(map(str, pieces)) for pieces in every if not _has_variable(pieces)]
    return PatternSet(
        re.compile("|".join(fixed), flags) if fixed else None,
        tuple(VariablePattern(pieces, flags) for pieces in every if _has_variable(pieces)),
    )


def variables_in(text: str) -> list[str]:
    """The variables in a text, without escaped characters."""
    return [word for word in _WORD.findall(text) if _VARIABLE.fullmatch(word) and word not in _LITERAL]


def is_arn(text: str) -> bool:
    """Whether a text has the six parts of an ARN; a variable may stand for any of them."""
    return text.startswith("arn:") and not missing_parts(text)


def missing_parts(text: str) -> int:
    """How many of an ARN's six parts a text lacks."""
    return max(0, _ARN_COLONS - sum(map(_colons, _WORD.findall(text))))


def _has_variable(pieces: Sequence[Piece]) -> bool:
    return any(isinstance(piece, Variable) for piece in pieces)


def _pieces(text: str, style: WildcardStyle, variables: bool, group: str) -> Iterator[Piece]:
    """Regular expressions, and the variables between them.

    All stars but the last one match as little as possible and never backtrack: what a star could match beyond that, the
    next one can match as well. So a text is read once for each star, and not once for each combination of them.
    """
    (_, first), *after_stars = _chunks(text, style, variables)
    yield from first
    for number, (anything, chunk) in enumerate(after_stars[:-1]):
        yield f"(?=(?P<{group}{number}>{anything}*?"
        yield from chunk
        yield f"))(?P={group}{number})"
    for anything, chunk in after_stars[-1:]:
        yield f"{anything}*"
        yield from chunk


def _chunks(text: str, style: WildcardStyle, variables: bool) -> list[tuple[str, list[Piece]]]:
    """The pieces between the stars, each with the character class of the star before it."""
    colons = 0 if style is WildcardStyle.ARN else _ARN_COLONS
    chunks: list[tuple[str, list[Piece]]] = [("", [])]
    words = _WORD.findall(text)
    for index, word in enumerate(words):
        crosses = colons >= _ARN_COLONS or (word == "*" and index == len(words) - 1)
        anything = "." if crosses else "[^:]"
        if word == "*" and style is not WildcardStyle.EXACT:
            chunks.append((anything, []))
        elif word == "?" and style is not WildcardStyle.EXACT:
            chunks[-1][1].append(anything)
        else:
            chunks[-1][1].append(_piece(word, variables))
            colons += _colons(word)
    return chunks


def _piece(word: str, variables: bool) -> Piece:
    if variables and word in _LITERAL:
        return re.escape(_LITERAL[word])
    variable = _VARIABLE.fullmatch(word) if variables else None
    return Variable(variable[1].lower(), variable[2]) if variable else re.escape(word)


def _colons(word: str) -> int:
    return 0 if word.startswith("${") else word.count(":")


@lru_cache(maxsize=4096)
def _compiled(source: str, flags: re.RegexFlag) -> re.Pattern[str]:
    return re.compile(source, flags)
