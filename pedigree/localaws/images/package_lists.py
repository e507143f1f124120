"""Lists of packages, as lines of pip's requirements files; a later line for a package replaces earlier ones."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAME = re.compile(r"^\s*([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(\[[^\]]*\])?\s*(.*)$")
_COMMENT = re.compile(r"(?:^|\s)#.*$")


def name_of(line: str) -> str:
    """The name of the package that a line asks for, in its usual spelling; empty for an option or an address."""
    match = _NAME.match(line)
    return re.sub(r"[-_.]+", "-", match[1]).lower() if match and "://" not in line.partition("@")[0] else ""


def merged(packages: Iterable[str], more: Iterable[str]) -> tuple[str, ...]:
    """Both lists: a line of the second one that says more than a name takes the place of one in the first."""
    found = {name_of(line) or line: line for line in packages}
    for line in more:
        name = name_of(line) or line
        if name not in found or _says_more(line):
            found[name] = line
    return tuple(found.values())


def lines(text: str) -> list[str]:
    """The lines of a requirements file, without comments; continued ones are joined."""
    joined = re.sub(r"\\\r?\n", " ", text)
    return [line for line in (_COMMENT.sub("", line).strip() for line in joined.splitlines()) if line]


def _says_more(line: str) -> bool:
    match = _NAME.match(line)
    return match is None or bool(match[2] or match[3].strip())
