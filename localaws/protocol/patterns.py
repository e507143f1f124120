"""The patterns of AWS's models, which are Java's, as Python's.

Unicode categories are the one thing that Python's expressions lack. Letters, marks and digits become word characters,
punctuation and symbols the blocks in which they lie: a little wider than the original, never narrower.
"""

from __future__ import annotations

import re
from functools import cache

_SIGNS = (
    r"!-/:-@\[-`{-~¡-¿×÷\u02c2-\u02df\u2010-\u2bff\u3001-\u303f\ufe10-\ufe6f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff65"
)
_CATEGORIES = {"L": r"\w", "M": r"\w", "N": r"\w", "Z": r"\s", "S": _SIGNS, "P": _SIGNS, "Alnum": "A-Za-z0-9"}
_SURROGATES = (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of a model, to be matched as a whole."""
    text = re.sub(r"\\p\{(\w+)\}", lambda match: _CATEGORIES[match[1]], pattern).replace(*_SURROGATES)
    return re.compile(text.replace(")${", "){"))


def fits(pattern: str, value: str) -> bool:
    """Whether a text is as a pattern says."""
    return compiled(pattern).fullmatch(value) is not None
