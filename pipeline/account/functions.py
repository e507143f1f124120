"""The pipeline's functions, each with its log group, as the settings have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from entrypoints import contract
from pedigree import project_root
from pedigree.account.function_package import package
from pedigree.account.provisioned_concurrency import ProvisionedConcurrency
from pipeline.account import tags
from pipeline.account.function import LambdaFunction
from pipeline.account.log_group import LogGroup
from pipeline.settings.tree import Settings
from steps.functions import FUNCTIONS, LIVE, function_name, live_name

_DESCRIPTIONS = {
    "deploy": "Creates the endpoint, or starts its blue/green update.",
    "await": "Answers a waiting step once the endpoint serves what was asked for.",
    "autoscale": "Registers the endpoint for scaling.",
    "predict": "Asks the endpoint what is on a picture.",
}


def functions_folder() -> Path:
    """The folder with the code of the project's functions."""
    return project_root.find() / "lambda"


def functions(settings: Settings, folder: Path | None = None) -> Iterator[LogGroup | LambdaFunction]:
    """Every function, after the log group that it writes to."""
    ours = tags.wanted(settings)
    for party in FUNCTIONS:
        name = function_name(settings.pipeline.name, party)
        group = log_group_name(name)
        arn = settings.site.arn("logs", f"log-group:{group}")
        yield LogGroup(group, arn, settings.functions.log_retention_days, ours)
        yield _function(party, name, settings, folder or functions_folder())


def provisioned_concurrency(settings: Settings) -> Iterator[ProvisionedConcurrency]:
    """The provisioned concurrency of each function that has some in settings."""
    for party in FUNCTIONS:
        count = getattr(_size(party, settings), "provisioned_concurrency", 0)
        yield ProvisionedConcurrency(function_name(settings.pipeline.name, party), LIVE, count)


def log_group_name(function: str) -> str:
    """Lambda writes a function\'s lines to the group of this name."""
    return f"/aws/lambda/{function}"


def live_arn(settings: Settings, party: str) -> str:
    """The ARN of a function's live alias."""
    return settings.site.arn("lambda", f"function:{live_name(settings.pipeline.name, party)}")


def _function(party: str, name: str, settings: Settings, folder: Path) -> LambdaFunction:
    size = _size(party, settings)
    module = FUNCTIONS[party].replace("-", "_")
    configuration = {
        "Role": settings.site.role(party),
        "Handler": f"{module}.handler",
        "Runtime": settings.functions.runtime,
        "Description": _DESCRIPTIONS[party],
        "MemorySize": size.memory_megabytes,
        "Timeout": size.timeout_seconds,
        "Environment": {"Variables": _environment(party, settings)},
    }
    return LambdaFunction(
        name=name,
        arn=settings.site.arn("lambda", f"function:{name}"),
        package=package(module, folder),
        architecture=settings.functions.architecture,
        configuration=configuration,
        tags=tags.wanted(settings),
        reserved=getattr(size, "reserved_concurrency", 0),
    )


def _size(party: str, settings: Settings) -> Any:
    return getattr(settings.functions, "await_" if party == "await" else party)


def _environment(party: str, settings: Settings) -> dict[str, str]:
    given = {
        "await": {contract.ENV_GIVE_UP_MINUTES: str(settings.functions.await_.give_up_minutes)},
        "predict": {contract.ENV_ENDPOINT_NAME: settings.endpoint.name},
    }
    return given.get(party, {})
