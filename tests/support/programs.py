"""Loads the programs of images as they are where they run: files, of no package."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from pedigree.localaws.services.sagemaker.resources.images import PROGRAMS_FOLDER


def load(name: str) -> Any:
    """The module of a program; the others in its folder are found by their names."""
    if str(PROGRAMS_FOLDER) not in sys.path:
        sys.path.append(str(PROGRAMS_FOLDER))
    return importlib.import_module(name)
