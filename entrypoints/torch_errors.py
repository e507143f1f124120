"""What torch says of the machine and the flags, in the words of a user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from errors import ModelError


@contextmanager
def in_plain_words() -> Iterator[None]:
    """Whatever torch complains of in here that a user can mend is told as such; a bug stays what it is."""
    try:
        yield
    except Exception as error:
        plain = _plainly(error)
        if plain is None:
            raise
        raise plain from error


def _plainly(error: Exception) -> ModelError | None:
    reason = str(error).strip().partition("\n")[0]
    kinds = {
        "the GPU has too little memory ({}); lower --batch-size or the image size": isinstance(
            error, torch.cuda.OutOfMemoryError
        ),
        "this machine has too little memory ({}); lower --batch-size or the image size": (
            isinstance(error, MemoryError) or "DefaultCPUAllocator" in reason
        ),
        "torch cannot compile this network here ({}); leave out --compile": type(error).__module__.startswith(
            ("torch._dynamo", "torch._inductor")
        ),
        "a batch is too small to be normalized ({}); raise --batch-size": "more than 1 value per channel" in reason,
    }
    return next((ModelError(words.format(reason)) for words, fits in kinds.items() if fits), None)
