"""Converts the patterns of AWS's models, which are Java's, to Python's.

Unicode categories are the one thing that Python's expressions lack. Letters, marks and digits become word characters,
punctuation and symbols the blocks in which they lie: a little wider than the original, never narrower.
"""

from __future__ import annotations

import re
from functools import cache

_SIGNS = (
    r"!-/:-@\[-`{-~¡-¿×÷\u02c2-\u02df\u2010-\u2bff\u3001-\u303f\ufe10-\ufe6f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff65"
)
_PRINTED = r" -~\u00a0-\U0010FFFF"
_CATEGORIES = {
    **dict.fromkeys("LMN", r"\w"),
    **dict.fromkeys("PS", _SIGNS),
    **dict.fromkeys(("Z", "Zs"), r"\s"),
    "Alnum": "A-Za-z0-9",
    "ASCII": r"\x00-\x7f",
    "Print": _PRINTED,
}
_CATEGORY = re.compile(r"\\p\{(\w+)\}")
_OPEN_RANGE = re.compile(r"(\\[wds])-(?!\])")
# A repetition of a repetition is one repetition; to try all ways of splitting a text would take for ever.
_ANY_OF_ANY = re.compile(r"\*\)\{\d+,\d+\}")
# Two more patterns with as many ways, rewritten so that the same texts match in one.
_BLANKS = r"[ \t]"
_ONE_WAY = {
    rf"^{_BLANKS}*[{some}]+({_BLANKS}+[{some}]+)*{_BLANKS}*$": rf"\t*[{some}](?:\t|[{some}])*"
    for some in (r"\x20-\x7E", r"^\x00-\x1F:\x7F")
}
_SURROGATES = (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of a model, to be matched as a whole."""
    pattern = _ONE_WAY.get(pattern, pattern)
    text = _CATEGORY.sub(lambda match: _category(pattern, match), pattern).replace(*_SURROGATES)
    text = _OPEN_RANGE.sub(r"\1\-", text).replace(")${", "){").replace(r"\z", r"\Z")
    return re.compile(_ANY_OF_ANY.sub("*)", text))


def _category(pattern: str, match: re.Match[str]) -> str:
    """A category is a set of its own, or a part of the one in which it stands."""
    is_part = pattern.rfind("[", 0, match.start()) > pattern.rfind("]", 0, match.start())
    return _CATEGORIES[match[1]] if is_part else f"[{_CATEGORIES[match[1]]}]"


def fits(pattern: str, value: str) -> bool:
    """Whether a text matches a pattern as a whole."""
    return compiled(pattern).fullmatch(value) is not None
