"""The command lines of container engines, which all understand docker's: functions of what a container is, and pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from pedigree.localaws.containers.container import Mount

ENGINES = ("docker", "podman", "nerdctl", "finch")
"""In the order in which they are looked for."""
NONE, AUTO = "none", "auto"
CHOICES = (NONE, AUTO, *ENGINES)
MACHINE_NETWORK, NO_NETWORK = "host", "none"
CommandLine: TypeAlias = tuple[str, ...]
_LABEL = "pedigree.local-aws"
_PODMAN = "podman"
# What changes the engine's own program if it finds it in its environment: these are written on its command line.
_READ_BY_ENGINES = re.compile(
    r"PATH|HOME|USER|SHELL|TERM|TMPDIR|(?:LD|DOCKER|PODMAN|CONTAINERS?|NERDCTL|FINCH|LIMA|BUILDKIT|XDG|SSL_CERT|DBUS)_\w*"
    r"|GO[A-Z]+|\w*_PROXY|NOTIFY_SOCKET|LISTEN_\w+|REGISTRY_\w+|STORAGE_\w+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class EngineContainer:
    """One container of an engine; without an entrypoint, that of its image gets the command.

    owner is the folder of the local AWS that it belongs to. The network is the machine's, none, or that of a name.
    """

    name: str
    image: str
    owner: str
    hostname: str
    command: tuple[str, ...] = ()
    entrypoint: str = ""
    mounts: tuple[Mount, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    network: str = MACHINE_NETWORK
    shared_memory_megabytes: int = 0


def run(engine: str, container: EngineContainer) -> CommandLine:
    """Runs a container and stays until it has ended; variables come from the engine's environment: `environment`."""
    return (
        *(engine, "run", "--rm", "--name", container.name, "--label", f"{_LABEL}={container.owner}"),
        *("--hostname", container.hostname, *_network(container), *_security(engine)),
        *(("--shm-size", f"{container.shared_memory_megabytes}m") if container.shared_memory_megabytes else ()),
        *(word for mount in container.mounts for word in ("--mount", _mounted(mount))),
        *(word for name, value in container.variables.items() for word in ("--env", _variable(name, value))),
        *(("--entrypoint", container.entrypoint) if container.entrypoint else ()),
        *(container.image, *container.command),
    )


def environment(container: EngineContainer) -> Mapping[str, str]:
    """What the engine's environment needs for `run`: values that are not to be seen in a list of processes."""
    return {name: value for name, value in container.variables.items() if not _READ_BY_ENGINES.fullmatch(name)}


def change_owner(engine: str, image: str, folder: Path, owner: tuple[int, int]) -> CommandLine:
    """Gives the files in a folder, which a container of root has written, to a user."""
    words = (engine, "run", "--rm", "--network", NO_NETWORK, "--user", "0:0", *_security(engine), "--entrypoint")
    return (
        *words,
        "chown",
        "--mount",
        _mounted(Mount(folder, "/mnt", is_writable=True)),
        image,
        "-R",
        "{}:{}".format(*owner),
        "/mnt",
    )


def remove(engine: str, names: Sequence[str]) -> CommandLine:
    """Kills and removes containers."""
    at_once = ("--time", "0") if Path(engine).name == _PODMAN else ()
    return (engine, "rm", "--force", *at_once, *names)


def containers_of(engine: str, owner: str) -> CommandLine:
    """Lists the containers of a local AWS."""
    return (engine, "ps", "--all", "--quiet", "--filter", f"label={_LABEL}={owner}")


def networks_of(engine: str, owner: str) -> CommandLine:
    """Lists the networks of a local AWS."""
    return (engine, "network", "ls", "--quiet", "--filter", f"label={_LABEL}={owner}")


def create_network(engine: str, name: str, owner: str) -> CommandLine:
    """Makes a network without a way out."""
    return (engine, "network", "create", "--internal", "--label", f"{_LABEL}={owner}", name)


def remove_network(engine: str, name: str) -> CommandLine:
    """Removes a network."""
    return (engine, "network", "rm", name)


def inspect_image(engine: str, image: str) -> CommandLine:
    """Fails if the image is not on this machine."""
    return (engine, "image", "inspect", image)


def pull(engine: str, image: str) -> CommandLine:
    """Fetches an image from its registry."""
    return (engine, "pull", image)


def version(engine: str) -> CommandLine:
    """Fails if the engine does not answer."""
    return (engine, "version")


def _network(container: EngineContainer) -> Iterator[str]:
    yield from ("--network", container.network)
    if container.network in (MACHINE_NETWORK, NO_NETWORK):
        for name, address in container.addresses.items():
            yield from ("--add-host", f"{name}:{address}")
    else:  # its hosts have addresses of their own there, which the engine resolves
        yield from ("--network-alias", container.hostname)


def _security(engine: str) -> CommandLine:
    """Where SELinux runs, podman's containers may not read the folders of a job otherwise."""
    return ("--security-opt", "label=disable") if Path(engine).name == _PODMAN else ()


def _mounted(mount: Mount) -> str:
    """As a line of CSV: a path may have a comma."""
    words = [
        "type=bind",
        f"source={mount.source}",
        f"target={mount.target}",
        *(() if mount.is_writable else ("readonly",)),
    ]
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(words)
    return line.getvalue()


def _variable(name: str, value: str) -> str:
    return f"{name}={value}" if _READ_BY_ENGINES.fullmatch(name) else name
