"""Spells the commands in messages as the user can paste them.

A message names a command of pedigree in backticks: `pedigree status 8f3a`. Where make has called pedigree, the user's
shell has neither pedigree nor the environment of a local AWS; then the project says how make is called instead.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from pedigree.cli import project
from pedigree.local_endpoint import VARIABLE

_COMMAND = re.compile(r"`pedigree ([a-z-]+)([^`]*)`")
_MAKE = "MAKELEVEL"


def spelled(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """A message with its commands as this user calls them."""
    if "`pedigree " not in text or not environ.get(_MAKE):
        return text
    own = project.installed()
    if own is None:
        return text
    is_local = bool(environ.get(VARIABLE))

    def replaced(match: re.Match[str]) -> str:
        command = own.make_command(match[1], match[2].strip(), is_local=is_local)
        return f"`{command}`" if command else match[0]

    return _COMMAND.sub(replaced, text)
