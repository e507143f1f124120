"""Writes docs/settings.toml from the settings themselves: every key, its default, and the docstring below its field."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator, Mapping
from functools import cache
from textwrap import dedent, wrap
from typing import Any

from entrypoints import hyperparameters
from pipeline.settings.tree import Settings
from steps.config import Config

HEAD = """\
# Every setting, with its default. Put what you change into settings.toml, in the folder above.
#
# These files are read, later ones on top:                     settings.toml
#   on the local AWS (make VERB LOCAL=1, make run):            settings.local.toml
#   your own values, if the file is there; git ignores it:     settings.mine.toml
# Others in place of the first and the last:                   PEDIGREE_SETTINGS=settings.toml:other.toml
# Any key can come from the environment, as a TOML value:      PEDIGREE__TUNING__MAX_JOBS=8
# Tables with names of your own (ranges, hyperparameters, tags) are replaced as a whole: the first file that has such a
# table replaces the default. A further file, or a variable, changes entries or adds some; false removes one:
#                                                              PEDIGREE__TRAINING__HYPERPARAMETERS__PATIENCE=false
# What an execution can change without a build is a parameter; its default is the value here.
"""
_COMMENT_COLUMN = 36
_WIDTH = 120


def reference() -> str:
    """The text of docs/settings.toml."""
    return "\n".join([HEAD.rstrip("\n"), *_sections(Settings())]) + "\n"


def _sections(config: Config, parent: str = "") -> Iterator[str]:
    for name, field in type(config).model_fields.items():
        value, key = getattr(config, name), f"{parent}{field.alias or name}"
        about = field_docs(type(config)).get(name)
        if isinstance(value, Config):
            yield from _table(key, value, about or _summary(type(value)))
        elif isinstance(value, Mapping):
            yield from _mapping(key, value, about or "")


def _table(key: str, config: Config, about: str) -> Iterator[str]:
    values = config.model_dump(by_alias=True)
    docs = field_docs(type(config))
    lines = [
        _line(field.alias or name, values[field.alias or name], docs.get(name, ""))
        for name, field in type(config).model_fields.items()
        if not isinstance(getattr(config, name), (Config, Mapping))
    ]
    if lines:
        yield from ("", _commented(f"[{key}]", about), *lines)
    yield from _sections(config, f"{key}.")


def _mapping(key: str, entries: Mapping[str, Any], about: str) -> Iterator[str]:
    """A table whose names the user chooses."""
    plain = {name: value for name, value in entries.items() if not isinstance(value, Config)}
    if plain or not entries:
        yield from ("", _commented(f"[{key}]", about))
        yield from (_line(name, value, hyperparameters.MEANINGS.get(name, "")) for name, value in plain.items())
    for name, value in entries.items():
        if isinstance(value, Config):
            yield from _table(f"{key}.{name}", value, about)


def _line(name: str, value: Any, about: str) -> str:
    return _commented(f"{name} = {json.dumps(value)}", about)


def _commented(text: str, about: str) -> str:
    """The text with a comment behind it, or above it if the line would be too long."""
    comment = about.rstrip(".")
    line = f"{text:<{_COMMENT_COLUMN - 1}} # {comment}" if comment else text
    if len(line) <= _WIDTH:
        return line
    return "\n".join([*(f"# {row}" for row in wrap(comment, _WIDTH - 2)), text])


def _summary(config: type[Config]) -> str:
    return (config.__doc__ or "").split("\n")[0]


@cache
def field_docs(config: type[Config]) -> Mapping[str, str]:
    """The docstring below each field of a Config, inherited fields included."""
    docs: dict[str, str] = {}
    for base in reversed(config.__mro__):
        if issubclass(base, Config):
            docs.update(_own_docs(base))
    return docs


def _own_docs(config: type[Config]) -> Iterator[tuple[str, str]]:
    [definition] = ast.parse(dedent(inspect.getsource(config))).body
    assert isinstance(definition, ast.ClassDef)
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            yield field.target.id, inspect.cleandoc(ast.literal_eval(below.value))
