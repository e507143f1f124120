"""Functions of Lambda steps, as far as their configuration is given."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pedigree.checks.finding import Severity, Violation
from pedigree.checks.rule import rule
from pedigree.checks.subject import Subject
from pedigree.language.definition import Step
from pedigree.language.near import did_you_mean

_LONGEST_STEP = 600
_OLDEST_PYTHON = (3, 10)
_FUNCTION = re.compile(r"arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:function:([\w-]+)(?::.+)?")


@rule("DEP003", Severity.WARNING)
def timeout(subject: Subject) -> Iterator[Violation]:
    """Function with a longer time-out than its step.

    A Lambda step ends after 10 minutes at most. Then the step fails while the function continues, and a retry runs at
    the same time. Checked where configurations of functions are given.
    """
    for step, configuration in _configurations(subject):
        seconds = configuration.get("Timeout", 3)
        if isinstance(seconds, int) and seconds > _LONGEST_STEP:
            cause = f"the function may run {seconds} s, and its step {_LONGEST_STEP} s"
            yield Violation(f"{step.pointer}/FunctionArn", cause, "lower its time-out, and wait with a Callback step")


@rule("DEP004", Severity.ERROR)
def runtime(subject: Subject) -> Iterator[Violation]:
    """Function with a retired runtime.

    It can no longer be created or updated. An SDK's helper uses python3.8 where no runtime is given. Checked where
    configurations of functions are given.
    """
    for step, configuration in _configurations(subject):
        match = re.fullmatch(r"python(\d)\.(\d+)", str(configuration.get("Runtime", "")))
        if match and (int(match[1]), int(match[2])) < _OLDEST_PYTHON:
            yield Violation(f"{step.pointer}/FunctionArn", f"{match[0]} is retired", "use python3.12 or later")


@rule("DEP005", Severity.ERROR)
def unknown(subject: Subject) -> Iterator[Violation]:
    """Unknown function.

    Checked where configurations of functions are given.
    """
    names = list(subject.evidence.functions)
    for step, name in _function_names(subject) if names else ():
        if name not in names:
            remedy = did_you_mean(name, names) or "create it, or name another"
            yield Violation(f"{step.pointer}/FunctionArn", f"there is no function {name}", remedy)


@rule("DEP006", Severity.NOTE)
def managed_policy(subject: Subject) -> Iterator[Violation]:
    """Function that AmazonSageMakerFullAccess does not let the pipeline call.

    That policy allows functions whose name contains sagemaker, SageMaker or Sagemaker. With a policy of your own it
    does not matter.
    """
    for step, name in _function_names(subject):
        if "sagemaker" not in name.lower():
            remedy = "put sagemaker into its name, or allow it to the pipeline's role"
            yield Violation(f"{step.pointer}/FunctionArn", f"{name} has no sagemaker in its name", remedy)


@rule("DEP017", Severity.WARNING)
def waiter(subject: Subject) -> Iterator[Violation]:
    """Function that waits for an endpoint.

    Checked where scripts are given. boto3's waiter endpoint_in_service waits an hour, a function lives 15 minutes and a
    Lambda step 10. Return at once, and wait in a Callback step whose function is called again and again.
    """
    steps = [step for step in subject.steps if step.type == "Lambda"]
    for name, source in sorted(subject.evidence.scripts.items()) if steps else ():
        if _is_handler(source) and re.search(r"get_waiter\(\s*['\"]endpoint_", source):
            pointer = f"{steps[0].pointer}/FunctionArn"
            yield Violation(pointer, f"{name} waits for an endpoint in a function", "wait in a Callback step")


def _is_handler(source: str) -> bool:
    return re.search(r"^def \w+\(\s*event\b[^)]*\bcontext\b", source, re.MULTILINE) is not None


def _function_names(subject: Subject) -> Iterator[tuple[Step, str]]:
    for step in subject.steps:
        arn = subject.plain(step.document.get("FunctionArn")) if step.type == "Lambda" else None
        match = _FUNCTION.fullmatch(str(arn or ""))
        if match:
            yield step, match[1]


def _configurations(subject: Subject) -> Iterator[tuple[Step, Mapping[str, Any]]]:
    for step, name in _function_names(subject):
        configuration = subject.evidence.functions.get(name)
        if configuration is not None:
            yield step, configuration
