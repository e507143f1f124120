"""A parser of flags whose mistakes are told as all others are: in one line, and to SageMaker too."""

from __future__ import annotations

import argparse
from typing import NoReturn

from errors import UsageError


class Parser(argparse.ArgumentParser):
    """A parser that takes flags by their whole names, and raises what argparse would print in several lines."""

    def __init__(self, program: str, description: str) -> None:
        super().__init__(prog=program, description=description, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Say in one line what is wrong."""
        raise UsageError(f"{message}; --help lists the flags")
