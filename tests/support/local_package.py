"""A package on the disk, which pip installs without a network."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

_FILES = {
    "of_a_test.py": "ANSWER = 42\n",
    "pyproject.toml": """
        [build-system]
        requires = []
        build-backend = "backend"
        backend-path = ["."]
        """,
    "backend.py": """
        import os, zipfile

        def build_wheel(folder, config_settings=None, metadata_directory=None):
            if os.path.exists("begun"):
                open("begun", "w").close()
                open("gate").close()
            name = "of_a_test-1-py3-none-any.whl"
            info = "of_a_test-1.dist-info"
            with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
                wheel.write("of_a_test.py")
                wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: of_a_test\\nVersion: 1\\n")
                wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
                wheel.writestr(f"{info}/RECORD", "")
            return name
        """,
}


def local_package(folder: Path) -> str:
    """A requirement of the package `of_a_test`, which is made in a folder."""
    folder.mkdir()
    for name, text in _FILES.items():
        (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")
    return f"of_a_test @ {folder.as_uri()}"


class Gate:
    """Holds the next installation of the package until it is opened."""

    def __init__(self, folder: Path) -> None:
        self._begun, self._gate = folder / "begun", folder / "gate"
        for pipe in (self._begun, self._gate):
            os.mkfifo(pipe)

    def wait_until_begun(self) -> None:
        self._begun.read_bytes()

    def open(self) -> None:
        """Let that installation go on, and all later ones."""
        with self._gate.open("wb"):
            self._begun.unlink()
        self._gate.unlink()
