"""An argument parser whose errors are reported like all others: as one line, and to SageMaker too."""

from __future__ import annotations

import argparse
from typing import NoReturn

from errors import InvalidFlagError


class Parser(argparse.ArgumentParser):
    """A parser that does not accept abbreviated flags, and raises UsageError instead of printing the usage."""

    def __init__(self, program: str, description: str) -> None:
        super().__init__(prog=program, description=description, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        raise InvalidFlagError(message, "--help lists the flags")
