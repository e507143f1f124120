"""Reads the definition that a command is given: JSON from a file or standard input, or a script that defines it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from pedigree.cli import files, noisy_input, printing
from pedigree.cli.errors import UsageError
from pedigree.language.text import clip

ScriptArguments = Annotated[
    list[str] | None, typer.Argument(metavar="[-- ARGS]", help="Arguments of a script.", show_default=False)
]
DefinitionArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="A definition in JSON, -, or a script: pipeline.py or pipeline.py:NAME.")
]


@dataclass(frozen=True)
class NamedDefinition:
    """A definition, with what its source says about the pipeline: name, role, and the parameters of its start."""

    text: str
    name: str = ""
    role: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


def is_script(file: Path) -> bool:
    """Whether a file is a Python script, or names something in one."""
    from pedigree.sdk.loading import script_call

    return script_call(str(file)) is not None


def read(file: Path, arguments: Sequence[str] | None = (), local_url: str = "") -> NamedDefinition:
    """The definition of a file. A script runs to make it; with the address of a local AWS, its uploads go there."""
    from pedigree.sdk.loading import load, script_call

    call = script_call(str(file), arguments or (), local_url)
    if call is not None:
        pipeline = load(call)
        return NamedDefinition(pipeline.definition, pipeline.name, pipeline.role, pipeline.parameters)
    if arguments:
        raise UsageError(f"{file} is no script and takes no arguments: {' '.join(arguments)}", "leave them out")
    return unwrapped(_document(file))


def unwrapped(text: str) -> NamedDefinition:
    """A definition that may be inside of what `aws sagemaker describe-pipeline` prints."""
    try:
        answer: Any = json.loads(text)
    except (ValueError, RecursionError):
        return NamedDefinition(text)  # whoever reads the definition says what is wrong with it
    if not isinstance(answer, dict) or not isinstance(answer.get("PipelineDefinition"), str):
        return NamedDefinition(text)
    return NamedDefinition(
        answer["PipelineDefinition"], str(answer.get("PipelineName", "")), str(answer.get("RoleArn", ""))
    )


def source(file: Path, arguments: Sequence[str] | None = ()) -> str:
    """The text of a file as it stands, or the definition that a script makes."""
    return read(file, arguments).text if is_script(file) or arguments else _document(file)


def _document(file: Path) -> str:
    """The text of a file without the lines around the definition, which are named on standard error."""
    found = noisy_input.find(files.read(file))
    if found.passed_over:
        first, *others = found.passed_over
        more = f" and {len(others)} more" if others else ""
        printing.remark(f"pedigree: passed over what is not the definition: {clip(first)}{more}")
    return found.text
