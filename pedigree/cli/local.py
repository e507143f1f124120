"""`pedigree local up|down|status|reset|logs`: the AWS of this machine."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pedigree.cli import extras, project
from pedigree.cli.errors import UsageError
from pedigree.cli.options import RegionOption, YesOption, confirmed

if TYPE_CHECKING:
    from pedigree.localaws.process import Daemon

FOLDER = Path(".localaws")
CONTAINER = Path(".venv-container")
REGION = "us-east-1"
FolderOption = Annotated[Path, typer.Option("--folder", help="Where it keeps its state.")]
ContainerOption = Annotated[Path, typer.Option("--container", help="The environment that jobs run in.")]
OTHERS = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE")
"""Variables that would give clients credentials for a real account."""
_FOLLOW_SECONDS = 0.2

app = typer.Typer(help="An AWS on this machine: no account, no docker.", no_args_is_help=True)


@app.command()
def up(
    folder: FolderOption = FOLDER,
    port: Annotated[int, typer.Option(help="Its port; 0: any free one.", min=0, max=65_535)] = 0,
    region: RegionOption = REGION,
    container: ContainerOption = CONTAINER,
    no_iam: Annotated[bool, typer.Option("--no-iam", help="Allow every request.")] = False,
    well_known_keys: Annotated[
        bool, typer.Option("--well-known-keys", help="Accept the keys local/local; if no other user is on it.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log every request.")] = False,
) -> None:
    """Start it, unless it runs; prints shell commands for eval."""
    extras.demand("local")
    from pedigree.localaws import process

    running = process.up(
        folder,
        port=port,
        region=region or REGION,
        container=container if container.exists() else None,
        enforces_iam=not no_iam,
        tells_calls=verbose,
        has_well_known_keys=well_known_keys,
    )
    typer.echo(f"unset {' '.join(OTHERS)}")
    for name, value in environment(running, os.environ).items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command()
def down(folder: FolderOption = FOLDER) -> None:
    """End it; its state stays for the next start."""
    from pedigree.localaws import process

    typer.echo("ended" if process.down(folder) else "it was not running")


@app.command()
def status(folder: FolderOption = FOLDER) -> None:
    """Print its address; exit code 1 if it does not run."""
    from pedigree.localaws import process

    running = process.find(folder)
    if running is None:
        typer.echo("not running; start it with: pedigree local up")
        raise typer.Exit(1)
    typer.echo(f"running at {running.url}, process {running.pid}, region {running.region}")
    if running.has_well_known_keys:
        typer.echo("it accepts the keys local/local: every user of this machine may do everything there")


@app.command()
def reset(folder: FolderOption = FOLDER, yes: YesOption = False) -> None:
    """End it and delete its state."""
    from pedigree.localaws import process

    if not confirmed(f"Delete everything in {folder}?", yes=yes, remedy="add --yes"):
        raise typer.Abort
    process.reset(folder)
    typer.echo(f"{folder} is gone")


@app.command()
def logs(
    folder: FolderOption = FOLDER,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Continue until Ctrl-C.")] = False,
) -> None:
    """Print its log."""
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
