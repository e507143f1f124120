"""torchvision, imported wherever the scripts run.

torchvision's compiled half may be built for another torch than the one that is there (a CUDA build beside a CPU torch):
then its import fails over two operators that no classifier uses. They are named here, and it imports.
"""

from __future__ import annotations

import torch

try:
    import torchvision
except RuntimeError:
    # Kept alive by its name: what the library defines ends with it.
    _LIBRARY = torch.library.Library("torchvision", "DEF")
    for _operator in ("nms", "qnms"):
        _LIBRARY.define(f"{_operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision

__all__ = ["torchvision"]
