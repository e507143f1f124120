"""Scripts import this name; the local AWS itself starts what a job runs."""

from __future__ import annotations

from typing import Any, NoReturn


def run(*_: Any, **__: Any) -> NoReturn:
    """Refused: see the message."""
    raise NotImplementedError("the local AWS starts a job's script itself; start another program with subprocess")
