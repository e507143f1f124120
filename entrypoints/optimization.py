"""The optimizer, AdamW, and the learning rate of every step."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from hyperparameters import Hyperparameters


def create_optimizer(module: nn.Module, hyperparameters: Hyperparameters) -> Any:
    """Creates AdamW for the trainable parameters; only matrices get weight decay, not biases and norms."""
    trainable = [parameter for parameter in module.parameters() if parameter.requires_grad]
    groups = [
        {
            "params": [parameter for parameter in trainable if parameter.ndim > 1],
            "weight_decay": hyperparameters.weight_decay,
        },
        {"params": [parameter for parameter in trainable if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=hyperparameters.learning_rate, fused=True)


def set_learning_rate(optimizer: Any, step: int, steps: int, hyperparameters: Hyperparameters) -> None:
    """Sets the learning rate for a step, counted over the whole training; `steps` is the number in an epoch."""
    rate = hyperparameters.learning_rate * learning_rate_factor(step, steps, hyperparameters)
    for group in optimizer.param_groups:
        group["lr"] = rate


def learning_rate_factor(step: int, steps: int, hyperparameters: Hyperparameters) -> float:
    """Returns the share of the learning rate at a step: linear warm-up, then cosine decay."""
    warmup, total = hyperparameters.warmup_epochs * steps, hyperparameters.epochs * steps
    if step < warmup:
        return (step + 1) / (warmup + 1)
    progress = (step - warmup) / max(1.0, total - warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
