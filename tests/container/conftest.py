"""What the tests need to import torchvision wherever they run."""

from __future__ import annotations

import torch

try:
    import torchvision  # noqa: F401  # only to see whether its compiled half fits this torch
except RuntimeError:
    # The compiled half is built for CUDA and does not load here; its Python half asks for two operators of it by name.
    _library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        _library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
