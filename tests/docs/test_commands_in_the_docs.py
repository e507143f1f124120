"""Every command in the guides exists, with its options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from pedigree.cli.main import app

ROOT = Path(__file__).parents[2]
GUIDES = ("docs/operating.md", "README.md", "docs/testing.md", "docs/training-anywhere.md", "docs/your-pipeline.md")
_VARIABLE = re.compile(r"[A-Z_]+=")
_CODE = re.compile(r"```sh\n(.*?)```|`([^`\n]+)`", re.DOTALL)


def lines(guide: str) -> Iterator[str]:
    """The lines of code in a guide, without comments."""
    for block, inline in _CODE.findall((ROOT / guide).read_text(encoding="utf-8")):
        for line in (block or inline).splitlines():
            yield re.sub(r"\s+# .*", "", line).strip()


def typed(program: str) -> list[Any]:
    """The calls of a program in all guides, as words; also those after && on a line."""
    found = [
        pytest.param(guide, words[place + 1 :], id=f"{guide}: {part}")
        for guide in GUIDES
        for line in dict.fromkeys(lines(guide))
        for part in line.split("&&")
        for words in [split(part)]
        for place, word in enumerate(words[:2])
        if word.rpartition("/")[2] == program and all("=" in earlier for earlier in words[:place])
    ]
    assert found
    return found


def split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


@cache
def verbs() -> dict[str, str]:
    """The recipe of each target in the Makefile."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+):.*\n((?:\t.*\n)*)", text, re.MULTILINE))


@cache
def commands() -> Any:
    return get_command(app())


def check(words: list[str]) -> None:
    """Check that a call of pedigree uses commands and options that exist."""
    command = commands()
    for word in takewhile(lambda word: word != "--", words):  # what follows are a script's own arguments
        subcommands = getattr(command, "commands", {})
        if word.startswith("-"):
            options = {
                option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
            }
            assert word.partition("=")[0] in {*options, "--help"}, word
        elif subcommands and word not in ("…", "<verb>"):
            assert word in subcommands, word
            command = subcommands[word]


@pytest.mark.parametrize(("guide", "words"), typed("make"))
def test_make_has_the_target(guide: str, words: list[str]) -> None:
    variables = dict(word.partition("=")[::2] for word in words if _VARIABLE.match(word))
    [verb] = [word for word in words if not _VARIABLE.match(word)]
    assert variables.keys() <= {
        "ARGS",
        "LOCAL",
        "PARAMS",
        "DATA",
        "IMAGE",
        "URL",
        "VERSION",
        "PYTHON",
        "CONTAINER_PYTHON",
    }
    recipe = verbs()[verb]
    called = re.search(r"/pedigree ([a-z0-9-]+)", recipe)
    if called:
        check([called[1], *split(variables.get("ARGS", ""))])


@pytest.mark.parametrize(("guide", "words"), typed("pedigree"))
def test_pedigree_has_the_command_and_its_options(guide: str, words: list[str]) -> None:
    check(words)
