"""Start an execution: what is given is held against the parameters of the pipeline that is in the account.

Settings here may have moved on since the pipeline was put there, so its own definition says which parameters there are.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pedigree.account.account import Account
from pedigree.account.errors import GivenError
from pedigree.account.executions import no_pipeline, token
from pedigree.account.plan import Call, Change
from pedigree.language.definition import Parameter, parse
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
    """The values, display name and description of an execution."""

    given: tuple[str, ...]
    name: str = ""
    description: str = ""


def start(account: Account, pipeline: str, request: StartRequest) -> Change:
    """The execution to begin; GivenError says everything that is wrong with what it is to begin with."""
    answer = account.find("sagemaker", "describe_pipeline", PipelineName=pipeline)
    if answer is None:
        raise no_pipeline(account, pipeline)
    known = parse(answer["PipelineDefinition"]).parameters
    values = checked(request.given, known)
    name = request.name or f"manual-{account.clock.now().astimezone(dt.timezone.utc):%Y%m%d-%H%M%S}"
    if not re.fullmatch(_NAME, name, re.ASCII):
        raise GivenError([f"--name {name} cannot be; write letters, digits and single words joined by -, 82 at most"])
    arguments: dict[str, Any] = {
        "PipelineName": pipeline,
        "PipelineExecutionDisplayName": name,
        "PipelineParameters": [{"Name": key, "Value": value} for key, value in values.items()],
        "ClientRequestToken": token(),
        **({"PipelineExecutionDescription": request.description} if request.description else {}),
    }
    why = tuple(f"{key} = {value}" for key, value in values.items()) or ("every parameter has its default",)
    return Change(
        "create", "execution", name, (Call("sagemaker", "start_pipeline_execution", arguments, "started"),), why
    )


def checked(given: Iterable[str], known: Mapping[str, Parameter]) -> dict[str, str]:
    """The values by name, as the service takes them; GivenError lists everything that it would refuse."""
    pairs = [one.partition("=") for one in given]
    values = {name: value for name, _, value in pairs}
    problems = [
        *(f"{name} is no value of a parameter; write Name=value" for name, equals, _ in pairs if not equals),
        *_twice([name for name, equals, _ in pairs if equals]),
        *(problem for name, equals, value in pairs if equals for problem in _problems(name, value, known)),
        *(
            f"{one.name} has no default; give it one: {one.name}=…"
            for one in known.values()
            if one.default is None and one.name not in values
        ),
    ]
    if len(values) > MOST_PARAMETERS:
        problems.append(f"{len(values)} values are given, and an execution takes {MOST_PARAMETERS}; give fewer")
    if problems:
        raise GivenError(problems)
    return values


def _twice(names: list[str]) -> Iterator[str]:
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"{name} is given {names.count(name)} times; give it once"


def _problems(name: str, value: str, known: Mapping[str, Parameter]) -> Iterator[str]:
    parameter = known.get(name)
    if parameter is None:
        otherwise = "" if known else "the pipeline has no parameters"
        yield f"{name} is no parameter of the pipeline; {suggest(name, known, otherwise)}"
        return
    pattern, kind = _KINDS.get(parameter.type, (r"(?s).*", "text"))
    if len(value) > LONGEST_VALUE:
        yield f"{name} has {len(value)} characters, and an execution takes {LONGEST_VALUE}; make it shorter"
    elif not re.fullmatch(pattern, value, re.ASCII):
        yield f"{name} = {brief(value)} cannot be; give {kind}"
    elif parameter.choices and value not in parameter.choices:
        yield f"{name} = {brief(value)} is none of the choices; {_choices(value, parameter)}"


def _choices(value: str, parameter: Parameter) -> str:
    return suggest(value, parameter.choices, f"write {' or '.join(parameter.choices)}")
