"""The local AWS as commands use it: its folder, its options, and the environment of its clients."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pedigree.cli import project

if TYPE_CHECKING:
    from pedigree.localaws.process import Daemon

FOLDER = Path(".localaws")
CONTAINER = Path(".venv-container")
REGION = "us-east-1"
FolderOption = Annotated[Path, typer.Option("--folder", help="Where it keeps its state.")]
ContainerOption = Annotated[Path, typer.Option("--container", help="The environment that jobs run in.")]
OTHERS = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE")
"""Variables that would give clients credentials for a real account."""


def environment(running: Daemon, variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that make AWS clients, and the installed project's verbs, use the local AWS."""
    own = project.installed()
    return {
        "AWS_ENDPOINT_URL": running.url,
        **running.key.environment,
        "AWS_DEFAULT_REGION": running.region,
        "AWS_REGION": running.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        **{name: variables.get(name) or value for name, value in (own.local_environment() if own else {}).items()},
    }


def enter(running: Daemon, variables: MutableMapping[str, str]) -> None:
    """Changes an environment so that its AWS clients use the local AWS."""
    for name in OTHERS:
        variables.pop(name, None)
    variables.update(environment(running, variables))
