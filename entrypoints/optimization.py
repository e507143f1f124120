"""How the weights are moved: AdamW, and the rate of every step."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from hyperparameters import Hyperparameters


def optimizer_of(module: nn.Module, chosen: Hyperparameters) -> Any:
    """What moves the weights of a module that learn; matrices decay, biases and the scales of normalizations do not."""
    learning = [one for one in module.parameters() if one.requires_grad]
    groups = [
        {"params": [one for one in learning if one.ndim > 1], "weight_decay": chosen.weight_decay},
        {"params": [one for one in learning if one.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=chosen.learning_rate, fused=True)


def set_rate(optimizer: Any, step: int, steps: int, chosen: Hyperparameters) -> None:
    """Set the learning rate of a step of the whole training, which has so many in an epoch."""
    rate = chosen.learning_rate * rate_at(step, steps, chosen)
    for group in optimizer.param_groups:
        group["lr"] = rate


def rate_at(step: int, steps: int, chosen: Hyperparameters) -> float:
    """The share of the learning rate at a step: up in a straight line, then down along a cosine."""
    warmup, whole = chosen.warmup_epochs * steps, chosen.epochs * steps
    if step < warmup:
        return (step + 1) / (warmup + 1)
    done = (step - warmup) / max(1.0, whole - warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
