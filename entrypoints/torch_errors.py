"""Turns torch's errors about the machine and the flags into messages with a remedy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from errors import ModelError

_LESS_MEMORY = "lower --batch-size or the image size"


@contextmanager
def translate_torch_errors() -> Iterator[None]:
    """Raises ModelError for errors of torch that a user can fix; other errors pass unchanged."""
    try:
        yield
    except Exception as error:
        translated = _translate(error)
        if translated is None:
            raise
        raise translated from error


def _translate(error: Exception) -> ModelError | None:
    reason = str(error).strip().partition("\n")[0]
    lacks_memory = isinstance(error, MemoryError) or "DefaultCPUAllocator" in reason
    cannot_compile = type(error).__module__.startswith(("torch._dynamo", "torch._inductor"))
    table = (
        (isinstance(error, torch.cuda.OutOfMemoryError), "the GPU has too little memory", _LESS_MEMORY),
        (lacks_memory, "this machine has too little memory", _LESS_MEMORY),
        (cannot_compile, "torch cannot compile this network here", "leave out --compile"),
        ("more than 1 value per channel" in reason, "a batch is too small to be normalized", "raise --batch-size"),
    )
    return next((ModelError(f"{cause} ({reason})", remedy) for is_match, cause, remedy in table if is_match), None)
