"""Plans the start of an execution, after checking the values against the parameters of the pipeline in the account.

The settings may have changed since the upsert, so the parameters come from the definition in the account.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.account.account import Account
from pedigree.account.errors import InvalidInputError
from pedigree.account.executions import no_pipeline, token
from pedigree.account.plan import ApiCall, Change
from pedigree.account.selection import select
from pedigree.errors import Mistake
from pedigree.language.definition import Definition, Parameter, parse
from pedigree.language.near import suggest
from pedigree.language.text import brief

MOST_PARAMETERS = 200
LONGEST_VALUE = 1024
_NAME = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,81}"
_KINDS: Mapping[str, tuple[str, str]] = {
    "Integer": (r"[+-]?\d+", "a whole number"),
    "Float": (r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", "a number"),
    "Boolean": (r"(?i:true|false)", "true or false"),
}


@dataclass(frozen=True)
class StartRequest:
    """The values, display name and description of an execution; with `only`, the steps that run."""

    given: tuple[str, ...]
    name: str = ""
    description: str = ""
    only: tuple[str, ...] = ()
    source: str = ""
    """Which execution a selection continues: an ARN or the start of an id; empty for the newest that fits."""


Check = Callable[[Definition, Mapping[str, str]], None]
"""Raises a Mistake for values that more is known of than the definition says."""


def accept(_definition: Definition, _values: Mapping[str, str]) -> None:
    """Accept the values: the definition is all that is known of them."""


def start(account: Account, pipeline: str, request: StartRequest, check: Check = accept) -> Change:
    """The change that starts the execution; raises InvalidInputError with every mistake in its values."""
    answer = account.find("sagemaker", "describe_pipeline", PipelineName=pipeline)
    if answer is None:
        raise no_pipeline(account, pipeline)
    definition = parse(answer["PipelineDefinition"])
    values = checked(request.given, definition.parameters)
    check(definition, values)
    selection = select(account, pipeline, definition, request.only, request.source) if request.only else None
    name = request.name or f"manual-{account.clock.now().astimezone(dt.timezone.utc):%Y%m%d-%H%M%S}"
    if not re.fullmatch(_NAME, name, re.ASCII):
        raise InvalidInputError(
            [Mistake(f"--name {name} cannot be", "write letters, digits and single words joined by -, 82 at most")]
        )
    arguments: dict[str, Any] = {
        "PipelineName": pipeline,
        "PipelineExecutionDisplayName": name,
        "PipelineParameters": [{"Name": key, "Value": value} for key, value in values.items()],
        "ClientRequestToken": token(),
        **({"PipelineExecutionDescription": request.description} if request.description else {}),
        **({"SelectiveExecutionConfig": selection.config()} if selection else {}),
    }
    why = tuple(f"{key} = {value}" for key, value in values.items()) or ("every parameter has its default",)
    call = ApiCall("sagemaker", "start_pipeline_execution", arguments, "started")
    return Change("create", "execution", name, (call,), (*why, *(selection.why() if selection else ())))


def checked(given: Iterable[str], parameters: Mapping[str, Parameter]) -> dict[str, str]:
    """The values by name, as the service takes them; InvalidInputError lists everything that it would refuse."""
    pairs = [text.partition("=") for text in given]
    values = {name: value for name, _, value in pairs}
    mistakes = [
        *(
            Mistake(f"{name} is not a value of a parameter", "write Name=value")
            for name, equals, _ in pairs
            if not equals
        ),
        *_repeated([name for name, equals, _ in pairs if equals]),
        *(mistake for name, equals, value in pairs if equals for mistake in _mistakes(name, value, parameters)),
        *_missing(parameters, values),
    ]
    if len(values) > MOST_PARAMETERS:
        cause = f"{len(values)} values are given, and an execution takes {MOST_PARAMETERS}"
        mistakes.append(Mistake(cause, "give fewer"))
    if mistakes:
        raise InvalidInputError(mistakes)
    return values


def _repeated(names: list[str]) -> Iterator[Mistake]:
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield Mistake(f"{name} is given {names.count(name)} times", "give it once")


def _missing(parameters: Mapping[str, Parameter], values: Mapping[str, str]) -> Iterator[Mistake]:
    for name, parameter in parameters.items():
        if parameter.default is None and name not in values:
            yield Mistake(f"{name} has no default", f"give it one: {name}=…")


def _mistakes(name: str, value: str, parameters: Mapping[str, Parameter]) -> Iterator[Mistake]:
    parameter = parameters.get(name)
    if parameter is None:
        otherwise = "" if parameters else "the pipeline has no parameters"
        yield Mistake(f"{name} is not a parameter of the pipeline", suggest(name, parameters, otherwise))
        return
    pattern, kind = _KINDS.get(parameter.type, (r"(?s).*", "text"))
    if len(value) > LONGEST_VALUE:
        cause = f"{name} has {len(value)} characters, and an execution takes {LONGEST_VALUE}"
        yield Mistake(cause, "make it shorter")
    elif not re.fullmatch(pattern, value, re.ASCII):
        yield Mistake(f"{name} = {brief(value)} cannot be", f"give {kind}")
    elif parameter.choices and value not in parameter.choices:
        yield Mistake(f"{name} = {brief(value)} is not one of the choices", _choices(value, parameter))


def _choices(value: str, parameter: Parameter) -> str:
    return suggest(value, parameter.choices, f"write {' or '.join(parameter.choices)}")
