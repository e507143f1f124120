"""Reads settings from files and variables, and keeps the place of each value: a file's line, a variable, an option.

Files are TOML. The parser does not return line numbers, so the lines of keys are found by a second look at the text.
An environment variable PEDIGREE__SECTION__KEY has a TOML value; text that is not TOML is taken as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pedigree import local_endpoint
from pedigree.language.near import suggest
from pedigree.language.pointers import at
from pedigree.toml import tomllib
from pipeline.settings.errors import InvalidSettingError, SettingsError

FILES_VARIABLE = "PEDIGREE_SETTINGS"
_VARIABLES = (FILES_VARIABLE, local_endpoint.VARIABLE)
PREFIX = "PEDIGREE__"
_OURS = "PEDIGREE_"
_HEADER = re.compile(r"^\s*\[{1,2}\s*([^\[\]]+?)\s*\]{1,2}\s*(#.*)?$")
_KEY = re.compile(r"^\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=(.*)$")
_NOT_TOML = (ValueError, RecursionError)


@dataclass(frozen=True)
class Layer:
    """Values in a tree, and the place of each by its dotted key; the latest is last."""

    values: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, key: str, value: Any, place: str) -> Layer:
        """A layer of one value."""
        tree: Any = _frozen(value)
        for part in reversed(key.split(".")):
            tree = {part: tree}
        return cls(tree, {key: place})

    def place(self, *keys: str) -> str:
        """The last place of the keys or of keys inside them; else the place of the nearest section around them."""
        inside = [name for name in self.places if any(f"{name}.".startswith(f"{key}.") for key in keys)]
        if inside:
            return self.places[inside[-1]]
        around = [name for name in reversed(list(self.places)) if any(key.startswith(f"{name}.") for key in keys)]
        return self.places[max(around, key=lambda name: name.count("."))] if around else "default"


def read(path: Path) -> Layer:
    """The layer of a TOML file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        values = tomllib.loads(text)
    except FileNotFoundError:
        raise _invalid_file(f"{path}", "no such file", f"name another with --settings or {FILES_VARIABLE}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise _invalid_file(f"{path}", f"cannot be read ({error})", "settings are a TOML file in UTF-8") from None
    except _NOT_TOML as error:
        line = re.search(r"at line (\d+)", str(error))
        place = f"{path}:{line[1]}" if line else f"{path}"
        raise _invalid_file(place, f"is not TOML: {error}", "write it as https://toml.io says") from None
    return Layer(_frozen(values), {key: f"{path}:{line}" for key, line in _lines(text)})


def _invalid_file(place: str, cause: str, remedy: str) -> SettingsError:
    return SettingsError([InvalidSettingError(place, cause, remedy)])


def environment(environ: Mapping[str, str], defaults: Mapping[str, Any]) -> Layer:
    """The layer of our variables: PEDIGREE__TUNING__MAX_JOBS=4. A part in mixed case keeps its case.

    If the default is text, so is the value: the digits of an account need no quotes.
    """
    unknown = [name for name in environ if name.startswith(_OURS) and name not in _VARIABLES and PREFIX not in name]
    if unknown:
        raise SettingsError([_unknown_variable(name) for name in sorted(unknown)])
    ours = [(name, text) for name, text in sorted(environ.items()) if name.startswith(PREFIX)]
    return stacked([_variable(name, text, defaults) for name, text in ours])


def stacked(layers: Sequence[Layer]) -> Layer:
    """Several layers as one: the later wins, key by key."""
    values: dict[str, Any] = {}
    places: dict[str, str] = {}
    for layer in layers:
        values = _merged(values, layer.values)
        for key, place in layer.places.items():
            places.pop(key, None)
            places[key] = place
    return Layer(values, places)


def _unknown_variable(name: str) -> InvalidSettingError:
    likely = f"{PREFIX}{name.removeprefix(_OURS)}"
    cause = f"is no variable of pedigree, which are {', '.join(_VARIABLES)} and {PREFIX}SECTION__KEY"
    return InvalidSettingError(name, cause, suggest(name, [*_VARIABLES, likely], f"did you mean {likely}?"))


def _variable(name: str, text: str, defaults: Mapping[str, Any]) -> Layer:
    parts = [part.lower() if part.isupper() else part for part in name.removeprefix(PREFIX).split("__")]
    value = _toml_value(text)
    is_text = _is_text(at(defaults, *parts), at(defaults, *parts[:-1]))
    return Layer.of(".".join(parts), text if is_text and not isinstance(value, str) else value, name)


def _is_text(default: Any, around: Any) -> bool:
    """Whether a value is text: by its default or, in a table with names of the user, by the other values in it."""
    if default is None and isinstance(around, Mapping) and around:
        return all(isinstance(value, str) for value in around.values())
    return isinstance(default, str)


def _toml_value(text: str) -> Any:
    try:
        table = tomllib.loads(f"value = {text}")
    except _NOT_TOML:
        return text
    return table["value"] if list(table) == ["value"] else text


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        # A table with a type replaces the one below; without a type, it changes that one.
        changes = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping) and "type" not in value
        merged[key] = _merged(merged[key], value) if changes else value
    return merged


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _frozen(member) for key, member in value.items()}
    return tuple(_frozen(member) for member in value) if isinstance(value, list) else value


def _lines(text: str) -> Iterator[tuple[str, int]]:
    """The keys of a TOML text that parses, each with its line; lines inside a value are not keys."""
    section, lines = "", text.splitlines()
    number = 0
    while number < len(lines):
        header, key = _HEADER.match(lines[number]), _KEY.match(lines[number])
        if key:
            yield f"{section}.{_plain(key[1])}".lstrip("."), number + 1
            number += _rows_of_value(key[2], lines[number + 1 :])
        elif header:
            section = _plain(header[1])
            yield section, number + 1
        number += 1


def _rows_of_value(text: str, following: Sequence[str]) -> int:
    """How many further lines a value takes: as many as it needs to be complete."""
    for rows, line in enumerate([*following, ""]):
        try:
            tomllib.loads(f"value ={text}")
        except _NOT_TOML:
            text += f"\n{line}"
        else:
            return rows
    return 0


def _plain(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))
