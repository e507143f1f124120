"""Keeps every Pipeline of the SDK that a script makes, whether or not a name of the script holds it."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from types import ModuleType
from typing import Any, NoReturn

from pedigree.sdk.pipelines import EndOfScriptError

OnStart = Callable[[str, Mapping[str, str]], None]
"""Called with a pipeline's name and the parameters with which a script starts it in the SDK's local mode."""
_Adapt = Callable[[ModuleType], None]


class PipelineRecorder:
    """The pipelines that were made in this process, in their order."""

    def __init__(self, on_start: OnStart) -> None:
        self.made: list[Any] = []
        self._on_start = on_start
        self._classes: list[type] = []

    def install(self) -> None:
        """From now on, every pipeline that is made is kept, and the SDK's local mode starts no containers."""
        local = self._adapt_local_start
        adapt: Mapping[str, _Adapt] = {
            "sagemaker.workflow.pipeline": self._adapt_pipeline,  # version 2 of the SDK
            "sagemaker.mlops.workflow.pipeline": self._adapt_pipeline,  # version 3
            "sagemaker.local.local_session": lambda module: local(module.LocalSagemakerClient),
            "sagemaker.mlops.local.local_pipeline_session": lambda module: local(module.LocalPipelineSession),
        }
        sys.meta_path.insert(0, _AdaptingFinder(adapt))

    def is_pipeline(self, value: object) -> bool:
        return isinstance(value, tuple(self._classes))

    def _adapt_pipeline(self, module: ModuleType) -> None:
        original = module.Pipeline.__init__

        @wraps(original)
        def record(pipeline: Any, *arguments: Any, **options: Any) -> None:
            original(pipeline, *arguments, **options)
            self.made.append(pipeline)

        module.Pipeline.__init__ = record
        self._classes.append(module.Pipeline)

    def _adapt_local_start(self, local_class: Any) -> None:
        local_class.start_pipeline_execution = self._start_locally

    def _start_locally(self, PipelineName: str, **members: Any) -> Any:  # noqa: N803  # the SDK's own name
        given = members.get("PipelineParameters") or {}
        self._on_start(PipelineName, {name: str(value) for name, value in given.items()})
        return _LocalExecution()


class _LocalExecution:
    """What the SDK's local mode returns for an execution. There is none, so a script that asks it ends."""

    def __getattr__(self, name: str) -> NoReturn:
        raise EndOfScriptError


class _AdaptingFinder(importlib.abc.MetaPathFinder):
    """Finds a few modules as Python does, and adapts each when it is imported: importing the SDK takes seconds."""

    def __init__(self, adapt: Mapping[str, _Adapt]) -> None:
        self._adapt = adapt

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        adapt = self._adapt.get(fullname)
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target) if adapt else None
        if adapt and spec and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _AdaptingLoader(spec.loader.name, spec.loader.path, adapt)
        return spec


class _AdaptingLoader(importlib.machinery.SourceFileLoader):
    def __init__(self, fullname: str, path: str, adapt: _Adapt) -> None:
        super().__init__(fullname, path)
        self._adapt = adapt

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        self._adapt(module)
