"""`pedigree local up|down|status|reset|logs`: the AWS of this machine."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Annotated

import typer

from pedigree.cli.errors import UsageError

FOLDER = Path(".localaws")
CONTAINER = Path(".venv-container")
FolderOption = Annotated[Path, typer.Option("--folder", help="Where it remembers.")]
ContainerOption = Annotated[Path, typer.Option("--container", help="The environment that stands for the container.")]
SETTINGS_VARIABLE = "PEDIGREE_SETTINGS"
SETTINGS = "settings.toml:settings.local.toml"
OTHERS = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE")
"""What would let clients be somebody in a real account."""
_FOLLOW_SECONDS = 0.2

app = typer.Typer(help="An AWS on this machine: no account, no docker.", no_args_is_help=True)


@app.command()
def up(
    folder: FolderOption = FOLDER,
    port: Annotated[int, typer.Option(help="Where it listens; 0: any free port.", min=0, max=65_535)] = 0,
    region: Annotated[str, typer.Option(help="The region that it stands for.")] = "us-east-1",
    container: ContainerOption = CONTAINER,
    no_iam: Annotated[bool, typer.Option("--no-iam", help="Let everybody do everything.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Have a line in its log for each call.")] = False,
) -> None:
    """Start it, unless it runs; what it prints is for eval."""
    from pedigree.localaws import process

    found = container if container.exists() else None
    running = process.up(
        folder, port=port, region=region, container=found, enforces_iam=not no_iam, tells_calls=verbose
    )
    typer.echo(f"unset {' '.join(OTHERS)}")
    for name, value in environment(running.url, running.region, os.environ).items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command()
def down(folder: FolderOption = FOLDER) -> None:
    """End it; all that it knows stays, and what ran goes on with the next start."""
    from pedigree.localaws import process

    typer.echo("ended" if process.down(folder) else "it was not running")


@app.command()
def status(folder: FolderOption = FOLDER) -> None:
    """Say whether it runs, and where; exit code 1 if it does not."""
    from pedigree.localaws import process

    running = process.find(folder)
    if running is None:
        typer.echo("not running; start it with: pedigree local up")
        raise typer.Exit(1)
    typer.echo(f"running at {running.url}, process {running.pid}, region {running.region}")


@app.command()
def reset(
    folder: FolderOption = FOLDER,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """End it and forget all that it knows."""
    from pedigree.localaws import process

    if not yes and not sys.stdin.isatty():
        raise UsageError(f"this forgets everything in {folder}", "add --yes")
    if not yes:
        typer.confirm(f"Forget everything in {folder}?", abort=True)
    process.reset(folder)
    typer.echo(f"{folder} is gone")


@app.command()
def logs(
    folder: FolderOption = FOLDER,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Print what it has said."""
    from pedigree.localaws import process

    path = process.log_path(folder)
    if not path.exists():
        raise UsageError(f"there is no {path}", "start it with: pedigree local up")
    with path.open(encoding="utf-8", errors="replace") as log:
        while True:
            typer.echo(log.read(), nl=False)
            if not follow:
                return
            time.sleep(_FOLLOW_SECONDS)


def environment(url: str, region: str, now: Mapping[str, str]) -> dict[str, str]:
    """What makes any AWS client talk to this machine, and the verbs take the settings that are meant for it."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        SETTINGS_VARIABLE: now.get(SETTINGS_VARIABLE) or SETTINGS,
    }


def enter(url: str, region: str, process_environment: MutableMapping[str, str]) -> None:
    """Make this process one that talks to this machine."""
    for name in OTHERS:
        process_environment.pop(name, None)
    process_environment.update(environment(url, region, process_environment))
