"""Chooses what connects the training processes: smddp where its launcher started them, else NCCL on GPUs, else gloo."""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Mapping

from torch import distributed

from errors import InvalidFlagError

NAMES = ("auto", "smddp", "nccl", "gloo")
_LIBRARY = "smdistributed.dataparallel.torch.torch_smddp"
# Variables that the launcher sets, and the hyperparameter by which SageMaker uses this launcher.
_LAUNCHER_FLAGS = ("SMDATAPARALLEL_USE_SINGLENODE", "SMDATAPARALLEL_USE_HOMOGENEOUS")
_PARAMETERS_VARIABLE, _ENABLED_KEY = "SM_FRAMEWORK_PARAMS", "sagemaker_distributed_dataparallel_enabled"


def choose(name: str, device: str, environ: Mapping[str, str]) -> str:
    """Returns the backend for a `--backend` value, a type of device and the launcher's environment."""
    if name == "auto":
        if device != "cuda":
            return "gloo"
        return "smddp" if _is_launched(environ) and _has_library() else "nccl"
    if name == "gloo":
        return name
    if name == "smddp" and not _has_library():
        raise InvalidFlagError(
            "--backend smddp: its library is not installed", "use nccl, or an image of PyTorch up to 2.5"
        )
    if device != "cuda" or not distributed.is_nccl_available():
        raise InvalidFlagError(f"--backend {name} joins GPUs, and this trains on {device}", "use gloo")
    return name


def load(name: str) -> None:
    """Imports the library of a backend that is not part of torch; the import registers it."""
    if name != "smddp":
        return
    try:
        importlib.import_module(_LIBRARY)
    except (ImportError, OSError, RuntimeError) as error:
        raise InvalidFlagError(f"the library of smddp cannot be loaded ({error})", "use --backend nccl") from None


def _is_launched(environ: Mapping[str, str]) -> bool:
    if any(environ.get(flag) == "1" for flag in _LAUNCHER_FLAGS):
        return True
    return json.loads(environ.get(_PARAMETERS_VARIABLE, "{}")).get(_ENABLED_KEY) in (True, "true")


def _has_library() -> bool:
    try:
        return importlib.util.find_spec(_LIBRARY) is not None
    except ModuleNotFoundError:
        return False
    except (ImportError, OSError):
        return True  # it is installed; the error comes again, with a message, when it is loaded
