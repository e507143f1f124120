"""Connects SageMaker Debugger's hook to a training, if the job configures it and the image has smdebug.

The hook records the module, and the loss as the mean of a batch, for training and validation alike: so Debugger's rules
can compare them for any batch size.
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
from picture_dataset import IGNORE_INDEX

_CONFIG_VARIABLE = "SMDEBUG_CONFIG_FILE_PATH"
_DEFAULT_CONFIG = "/opt/ml/input/config/debughookconfig.json"
_LOSS_NAME = "CrossEntropyLoss"  # the library's own name for this loss, which Debugger's rules look for
log = logging.getLogger(__name__)


class DebuggerHook:
    """Reports the course of a training to smdebug; without smdebug's hook it does nothing."""

    def __init__(self, hook: Any = None, modes: Any = None) -> None:
        self._hook, self._modes = hook, modes

    def start_training(self) -> None:
        if self._hook:
            self._hook.set_mode(self._modes.TRAIN)

    def start_validation(self) -> None:
        if self._hook:
            self._hook.set_mode(self._modes.EVAL)

    def record_loss(self, loss: torch.Tensor, targets: torch.Tensor) -> None:
        """Records the mean loss of a batch, given the sum."""
        if self._hook:
            count = (targets != IGNORE_INDEX).sum().clamp(min=1)
            self._hook.record_tensor_value(_LOSS_NAME, loss.detach() / count)


def register(module: nn.Module, environ: Mapping[str, str] = os.environ) -> DebuggerHook:
    """Registers smdebug's hook on a module; without a configuration file the returned hook does nothing."""
    config_file = Path(environ.get(_CONFIG_VARIABLE, _DEFAULT_CONFIG))
    if not config_file.is_file() or environ.get("USE_SMDEBUG", "").lower() == "false":
        return DebuggerHook()
    # smdebug's generated messages are too old for the installed protobuf, except for its Python implementation.
    os.environ.setdefault("PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", "python")
    try:
        import smdebug.pytorch as smd
    except ImportError as error:
        raise ModelError(
            f"{config_file} asks for the Debugger, but smdebug is not installed ({error})",
            "use an image up to PyTorch 2.0, or leave the Debugger out",
        ) from None
    _restore_tostring()
    hook = smd.get_hook(create_if_not_exists=True)
    if hook is None:
        raise ModelError(f"{config_file} is not a valid configuration of smdebug", "see its documentation")
    hook.register_module(module)
    log.info("the Debugger's hook saves to %s", hook.out_dir)
    return DebuggerHook(hook, smd.modes)


def _restore_tostring() -> None:
    """Gives smdebug arrays with `tostring`, which numpy 2.3 removed."""
    import numpy as np
    from smdebug.core import writer
    from smdebug.core.tfevent import util

    if hasattr(np.ndarray, "tostring"):
        return

    class ArrayWithTostring(np.ndarray):  # type: ignore[type-arg]
        """An array as smdebug knows them."""

        def tostring(self) -> bytes:
            return self.tobytes()

    original = util.make_tensor_proto

    def make_tensor_proto(nparray_data: object, tag: str) -> object:
        return original(np.asarray(nparray_data).view(ArrayWithTostring), tag)

    util.make_tensor_proto = writer.make_tensor_proto = make_tensor_proto
