"""The toolkit's modules by their public names; those of its own server and launcher are names only."""

from __future__ import annotations

from typing import Any

from sagemaker_containers import _content_types as content_types
from sagemaker_containers import _encoders as encoders
from sagemaker_containers import _env as env
from sagemaker_containers import _errors as errors
from sagemaker_containers import _worker as worker
from sagemaker_containers import entry_point, training_env


class _Absent:
    """A module that scripts import and do not use."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the local AWS has no sagemaker_containers.beta.framework.{self._name}.{name}")


files, functions, logging, mapping, modules, mpi, params, process, runner, server, trainer, transformer = map(
    _Absent,
    (
        "files",
        "functions",
        "logging",
        "mapping",
        "modules",
        "mpi",
        "params",
        "process",
        "runner",
        "server",
        "trainer",
        "transformer",
    ),
)

__all__ = ["content_types", "encoders", "entry_point", "env", "errors", "training_env", "worker"]
