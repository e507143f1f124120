"""`pedigree local up|env|exec|down|status|reset|logs|run`: the AWS of this machine."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pedigree.cli import extras, local_images, local_run, printing, role_session
from pedigree.cli.errors import UsageError
from pedigree.cli.local_environment import (
    CONTAINER,
    FOLDER,
    IMAGES,
    REGION,
    ContainerOption,
    FolderOption,
    ImagesOption,
    enter,
    images_file,
)
from pedigree.cli.options import RegionOption, YesOption, confirmed

if TYPE_CHECKING:
    from pedigree.localaws.process import Daemon

_FOLLOW_SECONDS = 0.2
CommandArgument = Annotated[list[str], typer.Argument(metavar="COMMAND…", help="A program and its arguments.")]
RoleOption = Annotated[
    str, typer.Option("--as-role", help="Have a session of this role, as a notebook has.", metavar="NAME")
]
PromptOption = Annotated[bool, typer.Option("--prompt", help="Mark the prompt of the shell.")]

app = typer.Typer(help="An AWS on this machine: no account, no docker.", no_args_is_help=True)
app.command(name="run")(local_run.command)
app.add_typer(local_images.app, name="images")


@app.command()
def up(
    folder: FolderOption = FOLDER,
    port: Annotated[int, typer.Option(help="Its port; 0: any free one.", min=0, max=65_535)] = 0,
    region: RegionOption = REGION,
    container: ContainerOption = CONTAINER,
    images: ImagesOption = IMAGES,
    engine: Annotated[
        str, typer.Option(help="What runs images themselves: auto, docker, podman, nerdctl or finch.", metavar="NAME")
    ] = "",
    no_iam: Annotated[bool, typer.Option("--no-iam", help="Allow every request.")] = False,
    well_known_keys: Annotated[
        bool, typer.Option("--well-known-keys", help="Accept the keys local/local; if no other user is on it.")
    ] = False,
    no_namespaces: Annotated[
        bool, typer.Option("--no-namespaces", help="Run jobs without containers, as where there are none.")
    ] = False,
    mount: Annotated[list[Path] | None, typer.Option(help="A folder that every container has, too.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Refuse all hosts but AWS's to its clients.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log every request.")] = False,
    prompt: PromptOption = False,
) -> None:
    """Start it, unless it runs; prints shell commands for eval."""
    extras.demand("local")
    from pedigree.localaws import process

    options = process.UpOptions(
        port=port,
        region=region or REGION,
        container=container if container.exists() else None,
        images=images_file(images),
        enforces_iam=not no_iam,
        tells_calls=verbose,
        has_well_known_keys=well_known_keys,
        uses_namespaces=not no_namespaces,
        mounts=[_existing(path) for path in mount or ()],
        is_offline=offline,
        engine=_known_engine(engine),
    )
    running = process.up(folder, options)
    from pedigree.cli import local_shell

    printing.commands(local_shell.entering(running, os.environ, marks_prompt=prompt))


def _known_engine(name: str) -> str:
    from pedigree.localaws.engine.command_lines import CHOICES

    if name and name not in CHOICES:
        raise UsageError(f"{name} is no engine", f"give --engine one of {', '.join(CHOICES)}")
    return name


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", "give --mount a folder of this machine")
    return folder


@app.command()
def env(
    folder: FolderOption = FOLDER,
    unset: Annotated[bool, typer.Option("--unset", help="Print what undoes them.")] = False,
    as_role: RoleOption = "",
    prompt: PromptOption = False,
) -> None:
    """Print the shell commands of `up`, for eval; starts nothing."""
    from pedigree.cli import local_shell

    if unset:
        printing.commands(local_shell.leaving(os.environ))
        return
    running, environ = _running(folder), dict(os.environ)
    session = role_session.variables(running, as_role) if as_role else {}
    printing.commands(local_shell.entering(running, environ, session, marks_prompt=prompt))


@app.command(name="exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def execute(command: CommandArgument, folder: FolderOption = FOLDER, as_role: RoleOption = "") -> None:
    """Run one command whose AWS is this one: pedigree local exec -- COMMAND."""
    running = _running(folder)
    enter(running, os.environ)
    os.environ.update(role_session.variables(running, as_role) if as_role else {})
    try:
        os.execvp(command[0], command)  # noqa: S606  # the user's own command, and no shell
    except OSError as error:
        raise UsageError(f"{command[0]} cannot be run: {error.strerror}", "name a program after --") from None


def _running(folder: Path) -> Daemon:
    from pedigree.localaws import process

    running = process.find(folder)
    if running is None:
        raise UsageError(f"no local AWS runs in {folder}", "start it with: `pedigree local up`")
    return running


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
        printing.hint("not running; start it with: `pedigree local up`")
        raise typer.Exit(1)
    typer.echo(f"running at {running.url}, process {running.pid}, region {running.region}")
    others = "all other hosts are refused" if running.is_offline else "all other hosts are passed on"
    typer.echo(f"AWS's host names: by the proxy {running.access.proxy_url}; {others}")
    if running.has_well_known_keys:
        typer.echo("it accepts the keys local/local: every user of this machine may do everything there")
    if running.engine != "none":
        typer.echo(f"images are run by: {running.engine}")
    if running.why_no_containers:
        typer.echo(f"jobs have no containers: {running.why_no_containers}")


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
        raise UsageError(f"there is no {path}", "start it with: `pedigree local up`")
    with path.open(encoding="utf-8", errors="replace") as log:
        while True:
            typer.echo(log.read(), nl=False)
            if not follow:
                return
            time.sleep(_FOLLOW_SECONDS)
