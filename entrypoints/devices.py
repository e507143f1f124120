"""Chooses the device of a process: the GPU for its local rank, or the CPU."""

from __future__ import annotations

import re

import torch

from errors import InvalidFlagError

_DEVICE_NAME = re.compile(r"cpu|cuda(:(0|[1-9][0-9]{0,3}))?")


def gpu_count() -> int:
    """Returns the number of GPUs that torch finds."""
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def choose(name: str, local_rank: int, local_world_size: int, count: int) -> torch.device:
    """Returns the device for a `--device` value, for one process of a machine with `count` GPUs."""
    if name == "auto":
        name = "cuda" if count else "cpu"
    match = _DEVICE_NAME.fullmatch(name)
    if not match:
        raise InvalidFlagError(f"--device {name} is not supported", "use auto, cpu, cuda or cuda:N")
    if name == "cpu":
        return torch.device("cpu")
    if not count:
        raise InvalidFlagError(f"--device {name}: torch sees no GPU here", "use cpu")
    if match[2] and local_world_size > 1:
        raise InvalidFlagError(
            f"--device {name} is one GPU for {local_world_size} processes", "use cuda, and each takes its own"
        )
    number = int(match[2] or local_rank)
    if number < count:
        return torch.device("cuda", number)
    available = f"torch sees {count} of them, from cuda:0 to cuda:{count - 1}"
    if match[2]:
        raise InvalidFlagError(f"--device {name} is not a GPU of this machine: {available}", "use one of these")
    raise InvalidFlagError(
        f"process {number + 1} of this machine has no GPU: {available}",
        "start one process for each, or use --device cpu",
    )
