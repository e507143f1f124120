"""Imports torchvision wherever the scripts run, without torch's compiler.

torchvision imports the compiler, which takes longer than all the rest, for one function that none of its classifiers
calls. That function is here, and imports the compiler when it is called.

The compiled part of torchvision may be built for another torch (a CUDA build beside a CPU torch). Its import then fails
for two operators that no classifier uses. They are defined here, and the import succeeds.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch

_COMPILER = "torch._dynamo"


def _is_compile_supported(device_type: Any) -> Any:
    from torch._dynamo import utils

    return utils.is_compile_supported(device_type)


@contextmanager
def _compiler_for_later() -> Iterator[None]:
    """Lets torchvision import that function without the compiler."""
    if _COMPILER in sys.modules:
        yield
        return
    package, utils = ModuleType(_COMPILER), ModuleType(f"{_COMPILER}.utils")
    package.__path__ = []
    vars(utils)["is_compile_supported"] = _is_compile_supported
    stand_ins = {module.__name__: module for module in (package, utils)}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name in stand_ins:
            del sys.modules[name]


def _import() -> Any:
    try:
        with _compiler_for_later():
            return importlib.import_module("torchvision")
    except (AttributeError, ImportError):  # a version that needs more of the compiler
        return importlib.import_module("torchvision")


def _define_operators() -> torch.library.Library:
    library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


try:
    torchvision = _import()
except RuntimeError:
    _LIBRARY = _define_operators()  # the name keeps the library alive, and with it the operators
    torchvision = _import()

__all__ = ["torchvision"]
