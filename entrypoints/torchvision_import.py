"""Imports torchvision wherever the scripts run.

The compiled part of torchvision may be built for another torch (a CUDA build beside a CPU torch). Its import then fails
for two operators that no classifier uses. They are defined here, and the import succeeds.
"""

from __future__ import annotations

import torch

try:
    import torchvision
except RuntimeError:
    # The name keeps the library alive, and with it the operators.
    _LIBRARY = torch.library.Library("torchvision", "DEF")
    for _operator in ("nms", "qnms"):
        _LIBRARY.define(f"{_operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision

__all__ = ["torchvision"]
