"""Which device a process computes on: the GPU that its place on the machine says, or the CPU."""

from __future__ import annotations

import re

import torch

from errors import UsageError

_KNOWN = re.compile(r"cpu|cuda(:(0|[1-9][0-9]{0,3}))?")


def gpus() -> int:
    """How many GPUs torch sees here."""
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def choose(name: str, local_rank: int, local_world: int, count: int) -> torch.device:
    """The device that a name means to one process of a machine, which has so many GPUs."""
    if name == "auto":
        name = "cuda" if count else "cpu"
    known = _KNOWN.fullmatch(name)
    if not known:
        raise UsageError(f"--device {name} is none that this trains on; use auto, cpu, cuda or cuda:N")
    if name == "cpu":
        return torch.device("cpu")
    if not count:
        raise UsageError(f"--device {name}: torch sees no GPU here; use cpu")
    if known[2] and local_world > 1:
        raise UsageError(f"--device {name} is one GPU for {local_world} processes; use cuda, and each takes its own")
    number = int(known[2] or local_rank)
    if number < count:
        return torch.device("cuda", number)
    seen = f"torch sees {count} of them, from cuda:0 to cuda:{count - 1}"
    if known[2]:
        raise UsageError(f"--device {name} is no GPU of this machine: {seen}; use one of these")
    raise UsageError(
        f"process {number + 1} of this machine has no GPU: {seen}; start one process for each, or use --device cpu"
    )
