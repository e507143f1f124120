"""Starts AWS's training toolkit as its PyTorch image does, without two imports that take it seconds: torch and smdebug.

    python toolkit_start.py .../bin/train

The toolkit itself needs torch's version and the names of smdebug's exceptions. Stand-ins have these; a request
for more imports the library. The job's script is another process, which sees none of this. AWS's image names the
module that starts scripts, by torchrun where the job asks for it.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import runpy
import sys
import types

TYPE_CHECKING = False  # typing takes long to import
if TYPE_CHECKING:
    from typing import Any

_MODULE = "sagemaker_pytorch_container.training"
_MODULES_WITH_PORT = (_MODULE, "sagemaker_training.torch_distributed")


class StandIn(types.ModuleType):
    """A library that is imported when something asks for what is not here yet."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


def _stand_in_for_torch() -> None:
    spec = importlib.util.find_spec("torch")
    if spec is not None:
        torch = StandIn("torch")
        torch.__spec__ = spec
        torch.__dict__["__version__"] = importlib.metadata.version("torch")
        sys.modules["torch"] = torch


def _stand_in_for_smdebug() -> None:
    """A package whose modules can be imported without itself, which imports torch."""
    spec = importlib.util.find_spec("smdebug")
    if spec is not None and spec.submodule_search_locations:
        smdebug = StandIn("smdebug")
        smdebug.__spec__ = spec
        smdebug.__path__ = list(spec.submodule_search_locations)
        sys.modules["smdebug"] = smdebug


def _name_module_of_scripts() -> None:
    if not importlib.util.find_spec(_MODULE.partition(".")[0]):
        return
    os.environ.setdefault("SAGEMAKER_TRAINING_MODULE", f"{_MODULE}:main")
    if port := os.environ.get("PET_MASTER_PORT"):  # the toolkit's own is 7777: two jobs on a machine cannot share it
        for name in _MODULES_WITH_PORT:
            importlib.import_module(name).__dict__["MASTER_PORT"] = port


def main() -> None:
    """Run the toolkit's program, as its own first line would have it run."""
    program = sys.argv[1]
    sys.argv = [program]
    sys.path[0] = os.path.dirname(program)  # noqa: PTH120  # pathlib takes long to import
    _stand_in_for_torch()
    _stand_in_for_smdebug()
    _name_module_of_scripts()
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main()
