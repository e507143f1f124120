"""Number formats: which one a device computes fast, and what training with it needs."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from errors import InvalidFlagError

_FORMATS = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Precision:
    """A number format, and the device that computes in it."""

    name: str
    device: torch.device

    def autocast(self) -> AbstractContextManager[Any]:
        """Computes suitable operations in the format."""
        dtype = _FORMATS.get(self.name)
        return torch.autocast(self.device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None)

    def scaler(self) -> Any:
        """Scales the loss so that small gradients survive in fp16; does nothing for other formats."""
        return torch.amp.GradScaler(self.device.type, enabled=self.name == "fp16")

    @property
    def memory_format(self) -> Any:
        """The layout of pictures in memory: channels last, if the fast kernels need it."""
        return torch.contiguous_format if self.name == "fp32" else torch.channels_last


def choose(name: str, device: torch.device) -> Precision:
    """Returns the format for a `--precision` value; auto is the fastest in hardware."""
    if name == "auto":
        return Precision(_fastest(device), device)
    if name == "fp16" and device.type != "cuda":
        raise InvalidFlagError("--precision fp16 needs a GPU, and there is none here", "use auto, fp32 or bf16")
    return Precision(name, device)


def _fastest(device: torch.device) -> str:
    if device.type == "cuda":
        return "bf16" if torch.cuda.get_device_capability(device) >= (8, 0) else "fp16"
    return "bf16" if device.type == "cpu" and _has_fast_bfloat16() else "fp32"


def _has_fast_bfloat16() -> bool:
    """Returns whether the CPU computes bf16 in hardware; otherwise bf16 is slower than fp32."""
    try:
        return "amx_bf16" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False  # not Linux
