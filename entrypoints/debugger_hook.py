"""SageMaker Debugger's hook on a training, where the job asks for one and the image has its library.

It sees the module, and the loss as the mean of a batch: of training and of validation alike, so that its rules can
compare them, whatever the size of a batch.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from errors import ModelError
from picture_dataset import NOT_COUNTED

_VARIABLE = "SMDEBUG_CONFIG_FILE_PATH"
_CONFIGURATION = "/opt/ml/input/config/debughookconfig.json"
_LOSS = "CrossEntropyLoss"  # the name that the library itself would give it, which rules look for
log = logging.getLogger(__name__)


class Watch:
    """What the hook is told in the course of a training; without a hook, nothing is."""

    def __init__(self, hook: Any = None, modes: Any = None) -> None:
        self._hook, self._modes = hook, modes

    def trains(self) -> None:
        """The next batches are learned from."""
        if self._hook:
            self._hook.set_mode(self._modes.TRAIN)

    def validates(self) -> None:
        """The next batches are only measured."""
        if self._hook:
            self._hook.set_mode(self._modes.EVAL)

    def saw(self, loss: torch.Tensor, targets: torch.Tensor) -> None:
        """A batch has been seen, with this sum of losses."""
        if self._hook:
            count = (targets != NOT_COUNTED).sum().clamp(min=1)
            self._hook.record_tensor_value(_LOSS, loss.detach() / count)


def watch(module: nn.Module, environ: Mapping[str, str] = os.environ) -> Watch:
    """Let the hook see a module; without a configuration there is none."""
    place = Path(environ.get(_VARIABLE, _CONFIGURATION))
    if not place.is_file() or environ.get("USE_SMDEBUG", "").lower() == "false":
        return Watch()
    # Its generated messages are older than the protobuf that is there; in Python they are read all the same.
    os.environ.setdefault("PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", "python")
    try:
        import smdebug.pytorch as smd
    except ImportError as error:
        raise ModelError(
            f"{place} asks for the Debugger, and smdebug is not here ({error}); "
            "use an image up to PyTorch 2.0, or leave the Debugger out"
        ) from None
    _write_with_new_numpy()
    hook = smd.get_hook(create_if_not_exists=True)
    if hook is None:
        raise ModelError(f"{place} is no configuration that smdebug reads; compare its documentation")
    hook.register_module(module)
    log.info("the Debugger's hook saves to %s", hook.out_dir)
    return Watch(hook, smd.modes)


def _write_with_new_numpy() -> None:
    """smdebug asks arrays for a method that numpy 2.3 took away; it gets arrays that still have it."""
    import numpy as np
    from smdebug.core import writer
    from smdebug.core.tfevent import util

    if hasattr(np.ndarray, "tostring"):
        return

    class Old(np.ndarray):  # type: ignore[type-arg]
        """An array as smdebug knows them."""

        def tostring(self) -> bytes:
            return self.tobytes()

    original = util.make_tensor_proto

    def make_tensor_proto(nparray_data: object, tag: str) -> object:
        return original(np.asarray(nparray_data).view(Old), tag)

    util.make_tensor_proto = writer.make_tensor_proto = make_tensor_proto
