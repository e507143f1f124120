"""Functions behind Lambda steps, as far as their configuration is given."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.checks.finding import Severity, Spot
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.definition import Step

_LONGEST_STEP = 600
_OLDEST_PYTHON = (3, 10)


@rule("DEP003", Severity.WARNING)
def timeout(subject: Subject) -> Iterator[Spot]:
    """A function that may run longer than its step.

    A Lambda step ends after 10 minutes at most. Then the step fails while the function goes on, and the retry meets it.
    Checked where configurations of functions are given.
    """
    for step, configuration in _functions(subject):
        seconds = configuration.get("Timeout", 3)
        if isinstance(seconds, int) and seconds > _LONGEST_STEP:
            cause = f"the function may run {seconds} s, and its step {_LONGEST_STEP}"
            yield Spot(f"{step.pointer}/FunctionArn", cause, "lower its time-out, and wait with a Callback step")


@rule("DEP004", Severity.ERROR)
def runtime(subject: Subject) -> Iterator[Spot]:
    """A function with a retired runtime.

    It can no longer be created or updated. An SDK's helper names python3.8 where nobody names another. Checked where
    configurations of functions are given.
    """
    for step, configuration in _functions(subject):
        match = re.fullmatch(r"python(\d)\.(\d+)", str(configuration.get("Runtime", "")))
        if match and (int(match[1]), int(match[2])) < _OLDEST_PYTHON:
            yield Spot(f"{step.pointer}/FunctionArn", f"{match[0]} is retired", "use python3.12 or later")


@rule("DEP005", Severity.ERROR)
def known(subject: Subject) -> Iterator[Spot]:
    """A function that is not there.

    Checked where configurations of functions are given.
    """
    names = list(subject.beside.functions)
    for step, name in _named(subject) if names else ():
        if name not in names:
            hint = subject.near(name, names) or "create it, or name another"
            yield Spot(f"{step.pointer}/FunctionArn", f"there is no function {name}", hint)


@rule("DEP006", Severity.NOTE)
def managed(subject: Subject) -> Iterator[Spot]:
    """A function that AmazonSageMakerFullAccess does not let the pipeline call.

    That policy allows functions whose name contains sagemaker, SageMaker or Sagemaker. With a policy of your own it
    does not matter.
    """
    for step, name in _named(subject):
        if "sagemaker" not in name.lower():
            remedy = "put sagemaker into its name, or allow it to the pipeline's role"
            yield Spot(f"{step.pointer}/FunctionArn", f"{name} has no sagemaker in its name", remedy)


@rule("DEP017", Severity.WARNING)
def waiter(subject: Subject) -> Iterator[Spot]:
    """A function that waits for an endpoint.

    Checked where scripts are given. boto3's waiter endpoint_in_service waits an hour, a function lives 15 minutes and a
    Lambda step 10. Return at once, and wait in a Callback step whose function is called again and again.
    """
    steps = [step for step in subject.steps if step.type == "Lambda"]
    for name, source in sorted(subject.beside.scripts.items()) if steps else ():
        if _is_handler(source) and re.search(r"get_waiter\(\s*['\"]endpoint_", source):
            pointer = f"{steps[0].pointer}/FunctionArn"
            yield Spot(pointer, f"{name} waits for an endpoint in a function", "wait in a Callback step")


def _is_handler(source: str) -> bool:
    return re.search(r"^def \w+\(\s*event\b[^)]*\bcontext\b", source, re.MULTILINE) is not None


def _named(subject: Subject) -> Iterator[tuple[Step, str]]:
    for step in subject.steps:
        arn = subject.plain(step.document.get("FunctionArn")) if step.type == "Lambda" else None
        match = re.fullmatch(r"arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:function:([\w-]+)(?::.+)?", str(arn or ""))
        if match:
            yield step, match[1]


def _functions(subject: Subject) -> Iterator[tuple[Step, Mapping[str, Any]]]:
    for step, name in _named(subject):
        configuration = subject.beside.functions.get(name)
        if configuration is not None:
            yield step, configuration
