"""The text of a Dockerfile: its instructions, their words, and the variables in them. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pedigree.localaws.images.errors import RecipeError

_CONTINUED = re.compile(r"\\[ \t]*$")
_ESCAPE = re.compile(r"#\s*escape\s*=\s*`", re.IGNORECASE)
_HERE_DOCUMENT = re.compile(r"<<-?[\"']?[A-Za-z_]")
_WORD = re.compile(r"(?:\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"|[^\s'\"\\]|\\$)+")
_SEGMENT = re.compile(r"'(?P<literal>[^']*)'|\"(?P<quoted>(?:\\.|[^\"\\])*)\"|(?P<plain>(?:\\.|[^'\"\\])+)|(?P<rest>.)")
_VARIABLE = re.compile(r"\\(?P<escaped>.)|\$(?:\{(?P<name>\w+)(?:(?P<sign>:?[-+])(?P<other>[^{}]*))?\}|(?P<bare>\w+))")
_LONGEST_SHOWN = 80


@dataclass(frozen=True)
class Instruction:
    """One instruction: the number of its first line, its name in capitals, and what follows the name."""

    line: int
    name: str
    text: str

    @property
    def shown(self) -> str:
        """As messages show it: one line, cut short."""
        words = " ".join(f"{self.name} {self.text}".split())
        return words if len(words) <= _LONGEST_SHOWN else f"{words[:_LONGEST_SHOWN]}…"


class DockerfileError(RecipeError):
    """An instruction that cannot be followed here."""

    @classmethod
    def at(cls, instruction: Instruction, problem: str, remedy: str = "") -> DockerfileError:
        """The error at an instruction; without another remedy, the one that helps with each."""
        leave_out = f"if it does not matter here, add skip = [{json.dumps(f'{instruction.name} …')}] to the recipe"
        usual = leave_out.replace("…", f"{instruction.text.split()[0]}*" if instruction.text.split() else "*")
        return cls(f"line {instruction.line} ({instruction.shown}): {' '.join(problem.split())}", remedy or usual)


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions in their order, each on one line; comments and empty lines are left out, as docker does."""
    first, parts = 0, list[str]()
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            if _ESCAPE.match(line.strip()) and not first:
                raise DockerfileError(f"line {number}: another character for escapes is not followed", "use \\")
            continue
        first = first or number
        parts.append(_CONTINUED.sub("", line))
        if not _CONTINUED.search(line):
            yield _instruction(first, " ".join(parts))
            first, parts = 0, []
    if parts:
        yield _instruction(first, " ".join(parts))


def _instruction(line: int, text: str) -> Instruction:
    name, _, rest = text.strip().partition(" ")
    found = Instruction(line, name.upper(), rest.strip())
    if found.name in ("RUN", "COPY", "ADD") and _HERE_DOCUMENT.search(found.text):
        raise DockerfileError.at(found, "a here-document is not followed")
    return found


def raw_words(text: str) -> list[str]:
    """The words of a text, with their quotes."""
    return _WORD.findall(text)


def unquoted(word: str, variables: Mapping[str, str]) -> str:
    """A word without its quotes, and with the values of its variables; single quotes keep what is in them."""
    return "".join(_segment(match, variables) for match in _SEGMENT.finditer(word))


def _segment(match: re.Match[str], variables: Mapping[str, str]) -> str:
    if match["literal"] is not None:
        return match["literal"]
    return with_values(match["quoted"] if match["quoted"] is not None else match["plain"] or match["rest"], variables)


def with_values(text: str, variables: Mapping[str, str]) -> str:
    r"""A text with values in place of $NAME, ${NAME}, ${NAME:-other} and ${NAME:+other}; \ keeps what follows it."""

    def value(match: re.Match[str]) -> str:
        if match["escaped"] is not None:
            return match["escaped"]
        known, sign = variables.get(match["name"] or match["bare"]), match["sign"] or ""
        is_set = bool(known) if sign.startswith(":") else known is not None
        if sign.endswith("+"):
            return match["other"] if is_set else ""
        return (known or "") if is_set or not sign else match["other"]

    return _VARIABLE.sub(value, text)


def listed(text: str) -> tuple[str, ...] | None:
    """The words of an instruction that is written as a list of JSON; None if it is not."""
    try:
        found = json.loads(text) if text.startswith("[") else None
    except ValueError:
        return None
    return tuple(found) if isinstance(found, list) and all(isinstance(word, str) for word in found) else None
