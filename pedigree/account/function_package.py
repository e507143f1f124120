"""Makes a Lambda function's deployment package: its file and what it imports from the same folder.

Lambda returns the hash of its package, so equal bytes mean that nothing has to be published. Nothing is
compressed, because zlib's output differs between machines and these files are small.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_THEN = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_READABLE = 0o100644 << 16


@dataclass(frozen=True)
class Package:
    """What Lambda gets, and the hash by which it knows it."""

    content: bytes

    @cached_property
    def sha256(self) -> str:
        """The hash as Lambda answers it."""
        return base64.b64encode(hashlib.sha256(self.content).digest()).decode()


def package(module: str, folder: Path) -> Package:
    """The package of one function."""
    if not (folder / f"{module}.py").is_file():
        raise FileNotFoundError(f"{folder / module}.py is the code of a function, and is not there")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(_needed(module, folder), key=lambda path: path.as_posix()):
            entry = zipfile.ZipInfo(path.as_posix(), _THEN)
            entry.create_system, entry.external_attr = _UNIX, _READABLE
            archive.writestr(entry, (folder / path).read_bytes())
    return Package(buffer.getvalue())


def _needed(module: str, folder: Path) -> set[Path]:
    """The files that a module needs, itself among them, relative to the folder."""
    needed: set[Path] = set()
    waiting = [module]
    while waiting:
        for path in _files(waiting.pop(), folder):
            if path not in needed:
                needed.add(path)
                waiting.extend(_imported((folder / path).read_bytes()))
    return needed


def _files(name: str, folder: Path) -> Iterator[Path]:
    """The files of a module or of a whole package; none for what is not of this folder."""
    if (folder / f"{name}.py").is_file():
        yield Path(f"{name}.py")
    for path in sorted((folder / name).rglob("*.py")):
        yield path.relative_to(folder)


def _imported(source: bytes) -> Iterator[str]:
    """The top-level names of all imports, wherever in the file they stand."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
