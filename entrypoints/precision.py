"""Number formats: which one a device computes fast, and what must be done about it while training."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from errors import UsageError

_FORMATS = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Precision:
    """A format and the device that computes in it."""

    name: str
    device: torch.device

    def autocast(self) -> AbstractContextManager[Any]:
        """Within this, what gains from the format is computed in it."""
        kind = _FORMATS.get(self.name)
        return torch.autocast(self.device.type, dtype=kind or torch.bfloat16, enabled=kind is not None)

    def scaler(self) -> Any:
        """What keeps small gradients alive in fp16; elsewhere it does nothing."""
        return torch.amp.GradScaler(self.device.type, enabled=self.name == "fp16")

    @property
    def memory_format(self) -> Any:
        """How pictures lie in memory: colors last, where the fast kernels want it so."""
        return torch.contiguous_format if self.name == "fp32" else torch.channels_last


def choose(name: str, device: torch.device) -> Precision:
    """The format of a name on a device; auto is the fastest that the hardware computes."""
    if name == "auto":
        return Precision(_fastest(device), device)
    if name == "fp16" and device.type != "cuda":
        raise UsageError("--precision fp16 is for GPUs, and there is none here; use auto, fp32 or bf16")
    return Precision(name, device)


def _fastest(device: torch.device) -> str:
    if device.type == "cuda":
        return "bf16" if torch.cuda.get_device_capability(device) >= (8, 0) else "fp16"
    return "bf16" if device.type == "cpu" and _has_fast_bfloat16() else "fp32"


def _has_fast_bfloat16() -> bool:
    """Whether the CPU computes bf16 in hardware; without it, it would be slower than fp32."""
    try:
        return "amx_bf16" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False  # no Linux, so nobody to ask
