"""Chooses a script's pipeline: the one that it makes or creates, or what its get_pipeline() returns."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from pedigree.language.near import suggest
from pedigree.sdk.account import ACCOUNT, EXECUTION_ROLE, role_arn
from pedigree.sdk.errors import ScriptError
from pedigree.sdk.pipelines import PipelineCalls
from pedigree.sdk.recording import PipelineRecorder
from pedigree.sdk.script_pipeline import ScriptPipeline

FUNCTIONS = ("get_pipeline", "create_pipeline", "build_pipeline", "make_pipeline", "define_pipeline")
"""Functions that are called if a script makes no pipeline by itself: AWS's own templates have the first."""

# Names of parameters whose value follows from the account, as scripts call them.
_REGION_NAME = re.compile(r"(\w+_)?region(_name)?")
_ROLE_NAME = re.compile(r"(\w+_)?role(_arn)?")
_BUCKET_NAME = re.compile(r"(\w+_)?bucket(_name)?")
_NAME = re.compile(r"(\w+_)?(name|prefix)")
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def names_a_function(path: Path, choice: str) -> bool:
    """Whether a name is a function of the script, which then runs as an imported module."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return False  # running it says so, with the line
    return any(isinstance(node, ast.FunctionDef) and node.name == choice for node in tree.body)


class PipelineChooser:
    """The pipelines of a script that has been run."""

    def __init__(self, path: Path, module: ModuleType, calls: PipelineCalls, recorder: PipelineRecorder, region: str):
        self._path = path
        self._module = module
        self._calls = calls
        self._recorder = recorder
        self._values = (
            (_REGION_NAME, region),
            (_ROLE_NAME, role_arn(EXECUTION_ROLE)),
            (_BUCKET_NAME, f"sagemaker-{region}-{ACCOUNT}"),
        )

    def choose(self, choice: str) -> ScriptPipeline:
        """The pipeline of a name, or the only one; ScriptError if there is none, or there are several."""
        value = getattr(self._module, choice, None) if choice else None
        if inspect.isfunction(value):
            return self._from_function(value)
        if self._recorder.is_pipeline(value):
            return self._compiled(value)
        pipelines = self._all()
        if choice and choice not in pipelines:
            return self._refuse_choice(choice, pipelines)
        if len(pipelines) == 1 or choice:
            pipeline = pipelines[choice] if choice else next(iter(pipelines.values()))
            return pipeline if isinstance(pipeline, ScriptPipeline) else self._compiled(pipeline)
        if pipelines:
            names = ", ".join(pipelines)
            remedy = f"choose one: {self._path}:{next(iter(pipelines))}"
            raise ScriptError(f"{self._path} defines {len(pipelines)} pipelines: {names}", remedy)
        function = next(
            (vars(self._module)[name] for name in FUNCTIONS if callable(vars(self._module).get(name))), None
        )
        if function is None:
            raise ScriptError(
                f"{self._path} defines no pipeline", "make a sagemaker Pipeline in it, or name a function: SCRIPT:NAME"
            )
        return self._from_function(function)

    def _all(self) -> Mapping[str, Any]:
        """The pipelines by name: those that the script creates by the API, else those that it makes."""
        made = {str(pipeline.name): pipeline for pipeline in self._recorder.made}
        return {**made, **{pipeline.name: pipeline for pipeline in self._calls.all()}}

    def _refuse_choice(self, choice: str, pipelines: Mapping[str, Any]) -> ScriptPipeline:
        functions = [name for name, value in vars(self._module).items() if inspect.isfunction(value)]
        names = [*pipelines, *functions]
        remedy = suggest(choice, names) if names else "make a sagemaker Pipeline in it"
        raise ScriptError(f"{self._path} has no pipeline and no function {choice}", remedy)

    def _from_function(self, function: Callable[..., Any]) -> ScriptPipeline:
        given = self._arguments(function)
        value = function(**given)
        if not self._recorder.is_pipeline(value):
            kind = type(value).__name__
            raise ScriptError(f"{function.__name__}() of {self._path} returns {kind}, no Pipeline", "return it")
        return self._compiled(value)

    def _arguments(self, function: Callable[..., Any]) -> Mapping[str, str]:
        """What the function needs, and what it can do without but would then fail for: a role, a bucket."""
        parameters = inspect.signature(function).parameters.values()
        named = [parameter for parameter in parameters if parameter.kind not in _VARIADIC]
        required = [parameter.name for parameter in named if parameter.default is parameter.empty]
        wanted = [*required, *(parameter.name for parameter in named if parameter.default is None)]
        values = {name: self._path.stem for name in required if _NAME.fullmatch(name)}
        values |= {name: value for name in wanted for pattern, value in self._values if pattern.fullmatch(name)}
        unknown = [name for name in required if name not in values]
        if unknown:
            cause = f"{function.__name__}() of {self._path} needs {', '.join(unknown)}, and pedigree cannot know that"
            raise ScriptError(cause, f"call it at the end of a script: pipeline = {function.__name__}({unknown[0]}=…)")
        return values

    def _compiled(self, pipeline: Any) -> ScriptPipeline:
        created = self._calls.created.get(str(pipeline.name))
        return self._calls.with_start(created or ScriptPipeline(str(pipeline.name), pipeline.definition()))
