"""Where settings come from, layer upon layer, and where each value stands: a file and its line, a variable, an option.

Files are TOML, read by the standard library; the line of a key is found by a second, simpler look at the text,
because the parser does not tell. An environment variable PEDIGREE__SECTION__KEY holds a TOML value too, and plain
text where it is none.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import SettingsError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # the same parser, before it came with Python

__all__ = ["Layer", "environment", "read", "stacked", "tomllib"]

PREFIX = "PEDIGREE__"
_HEADER = re.compile(r"^\s*\[\s*([^\[\]]+?)\s*\]\s*(#.*)?$")
_KEY = re.compile(r"^\s*([\w.\"'-]+)\s*=")


@dataclass(frozen=True)
class Layer:
    """Values in a tree, and the place of each by its dotted key."""

    values: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, key: str, value: Any, place: str) -> Layer:
        """A layer of one value."""
        tree: Any = _frozen(value)
        for part in reversed(key.split(".")):
            tree = {part: tree}
        return cls(tree, {key: place})

    def place(self, key: str) -> str:
        """Where a key was given, or the nearest section around it."""
        parts = key.split(".")
        around = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
        inside = [name for name in self.places if name.startswith(f"{key}.")]
        return next((self.places[name] for name in (key, *inside, *around) if name in self.places), "default")


def read(path: Path) -> Layer:
    """The layer of a TOML file."""
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except FileNotFoundError:
        raise SettingsError([f"{path}: no such file; name another with --settings or PEDIGREE_SETTINGS"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path}: cannot be read ({error}); settings are a TOML file in UTF-8"]) from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        place = f"{path}:{line[1]}" if line else f"{path}"
        raise SettingsError([f"{place}: is not TOML: {error}; mend it as https://toml.io says"]) from None
    return Layer(_frozen(values), {key: f"{path}:{line}" for key, line in _lines(text)})


def environment(environ: Mapping[str, str], defaults: Mapping[str, Any]) -> Layer:
    """The layer of the variables that are ours: PEDIGREE__TUNING__MAX_JOBS=4. A part in mixed case keeps it.

    Where the default is text, so is the value, and nobody need quote an account's digits.
    """
    ours = [(name, text) for name, text in sorted(environ.items()) if name.startswith(PREFIX)]
    return stacked([_variable(name, text, defaults) for name, text in ours])


def stacked(layers: Sequence[Layer]) -> Layer:
    """One layer of several: the later wins, key by key."""
    values: dict[str, Any] = {}
    places: dict[str, str] = {}
    for layer in layers:
        values = _merged(values, layer.values)
        places |= layer.places
    return Layer(values, places)


def _variable(name: str, text: str, defaults: Mapping[str, Any]) -> Layer:
    parts = [part.lower() if part.isupper() else part for part in name.removeprefix(PREFIX).split("__")]
    value, default = _toml_value(text), _at(defaults, parts)
    return Layer.of(".".join(parts), text if isinstance(default, str) and not isinstance(value, str) else value, name)


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _at(tree: Any, parts: Sequence[str]) -> Any:
    for part in parts:
        tree = tree.get(part) if isinstance(tree, Mapping) else None
    return tree


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _frozen(member) for key, member in value.items()}
    return tuple(_frozen(member) for member in value) if isinstance(value, list) else value


def _lines(text: str) -> Iterator[tuple[str, int]]:
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            section = _plain(header[1])
            yield section, number
        elif key := _KEY.match(line):
            yield f"{section}.{_plain(key[1])}".lstrip("."), number


def _plain(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))
