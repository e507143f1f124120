"""The patterns of policies: wildcards, ARNs and variables, as regular expressions that are compiled once.

A pattern with a variable in it can only be compiled when the request is known; its pieces are ready until then. A value
that takes the place of a variable is taken literally, whatever it looks like, so that nobody widens a policy by the
name they give themselves.
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
    """What * and ? stand for in a pattern."""

    EXACT = "themselves"
    GLOB = "any characters"
    ARN = "any characters, but no colon before the last of an ARN's six parts"


class UnknownVariableError(ValueError):
    """A variable has no value in this request, so that nobody can say whether the pattern matches."""


@dataclass(frozen=True)
class Variable:
    """A place that the request's context fills, or a default."""

    key: str
    default: str | None

    def value(self, context: Context) -> str:
        """Its value; UnknownError where neither context nor default has one, or the context has several."""
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
        """Whether the whole of a text matches; UnknownError, where a variable has no value."""
        filled = (re.escape(one.value(context)) if isinstance(one, Variable) else one for one in self.pieces)
        return _compiled("".join(filled), self.flags).fullmatch(text) is not None


@dataclass(frozen=True)
class PatternSet:
    """Patterns of which one must match: those without variables as one regular expression."""

    fixed: re.Pattern[str] | None
    open: tuple[VariablePattern, ...]

    def match(self, text: str, context: Context) -> bool:
        """Whether one of them matches the whole of a text; UnknownError, if only one of those unknown could."""
        if self.fixed is not None and self.fixed.fullmatch(text):
            return True
        unknown: UnknownVariableError | None = None
        for one in self.open:
            try:
                if one.match(text, context):
                    return True
            except UnknownVariableError as error:
                unknown = error
        if unknown is not None:
            raise unknown
        return False


def compiled(texts: Iterable[str], style: WildcardStyle, *, variables: bool, ignore_case: bool = False) -> PatternSet:
    """The patterns that these texts are."""
    flags = re.DOTALL | re.IGNORECASE if ignore_case else re.DOTALL
    every = [tuple(_pieces(text, style, variables, f"g{index}_")) for index, text in enumerate(texts)]
    fixed = ["".join(map(str, pieces)) for pieces in every if not _is_open(pieces)]
    return PatternSet(
        re.compile("|".join(fixed), flags) if fixed else None,
        tuple(VariablePattern(pieces, flags) for pieces in every if _is_open(pieces)),
    )


def variables_in(text: str) -> list[str]:
    """What stands in a text as a variable, its escaped signs aside."""
    return [word for word in _WORD.findall(text) if _VARIABLE.fullmatch(word) and word not in _LITERAL]


def is_arn(text: str) -> bool:
    """Whether a text has the six parts of an ARN, or could have them once its variables are filled."""
    return text.startswith("arn:") and sum(map(_colons, _WORD.findall(text))) >= _ARN_COLONS


def _is_open(pieces: Sequence[Piece]) -> bool:
    return any(isinstance(piece, Variable) for piece in pieces)


def _pieces(text: str, style: WildcardStyle, variables: bool, group: str) -> Iterator[Piece]:
    """Regular expressions, and variables between them.

    Of several stars all but the last take as little as will do, and stay with it: what a star could take more, the
    next one can take as well. So a text is read once for each star, and not once for each combination of them.
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
    """The pieces between the stars, each with what the star before it stands for."""
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
    found = _VARIABLE.fullmatch(word) if variables else None
    return Variable(found[1].lower(), found[2]) if found else re.escape(word)


def _colons(word: str) -> int:
    return 0 if word.startswith("${") else word.count(":")


@lru_cache(maxsize=4096)
def _compiled(source: str, flags: re.RegexFlag) -> re.Pattern[str]:
    return re.compile(source, flags)
