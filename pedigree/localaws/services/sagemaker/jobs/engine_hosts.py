"""The hosts of a job whose image an engine runs: a container each, with the job's folders where SageMaker has them.

Only these folders are mounted, and not /opt/ml as a whole, so that what an image has in /opt/ml/code stays there.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from pedigree.localaws.containers.container import Mount
from pedigree.localaws.engine import command_lines
from pedigree.localaws.engine.command_lines import MACHINE_NETWORK, NO_NETWORK, EngineContainer
from pedigree.localaws.engine.engines import Engine
from pedigree.localaws.kernel.processes import Host, Launch
from pedigree.localaws.services.sagemaker.jobs.plans import ROOT, JobPlan
from pedigree.localaws.services.sagemaker.jobs.sandbox import Sandbox

_FOLDERS: Mapping[str, Sequence[str]] = {
    "training": ("input", "model", "output", "checkpoints"),
    "processing": ("config", "output"),
}
# Of this machine's processes alone: the image has its own PATH, and the marker is for what this machine ends.
_NOT_PASSED = ("PATH", "PEDIGREE_LOCAL_AWS")


@contextmanager
def hosts(
    engine: Engine, plan: JobPlan, sandboxes: Sequence[Sandbox], base: Mapping[str, str], shared: Sequence[Mount]
) -> Iterator[Sequence[Host]]:
    """What starts the containers of a job; afterwards none is left, and their files belong to this user."""
    job = f"pedigree-{uuid.uuid4().hex[:12]}"
    network = _network(plan, job)
    variables = {**{name: value for name, value in base.items() if name not in _NOT_PASSED}, **plan.environment}
    containers = [
        container(engine, plan, (f"{job}-{host}", host), sandbox, variables, shared, network)
        for host, sandbox in zip(plan.hosts, sandboxes, strict=True)
    ]
    engine.note_use()
    if network == job:
        engine.call(command_lines.create_network(engine.program, job, engine.owner))
    try:
        yield [_host(engine, made, sandbox) for made, sandbox in zip(containers, sandboxes, strict=True)]
    finally:
        engine.remove([made.name for made in containers])
        if network == job:
            engine.call(command_lines.remove_network(engine.program, job))
        for sandbox in sandboxes:
            _own(engine, plan.image, sandbox.root)


def container(
    engine: Engine,
    plan: JobPlan,
    names: tuple[str, str],
    sandbox: Sandbox,
    variables: Mapping[str, str],
    shared: Sequence[Mount],
    network: str,
) -> EngineContainer:
    """The container of a host; names are that of the container, and that of the host."""
    entrypoint = plan.command[0] if plan.has_own_entrypoint else ""
    return EngineContainer(
        name=names[0],
        image=plan.image,
        owner=engine.owner,
        hostname=names[1],
        entrypoint=entrypoint,
        command=plan.command[1:] if entrypoint else plan.command,
        mounts=(*_mounts(plan, sandbox), *shared),
        variables=variables,
        addresses=plan.addresses,
        network=network,
        shared_memory_megabytes=_half_of_the_memory(),
    )


def _mounts(plan: JobPlan, sandbox: Sandbox) -> Iterator[Mount]:
    """The folders of a job; one that lies in another comes with it."""
    named = [
        folder.folder for folder in (*plan.inputs, *plan.outputs, *((plan.checkpoints,) if plan.checkpoints else ()))
    ]
    folders = {PurePosixPath(folder) for folder in (*(f"{ROOT}/{name}" for name in _FOLDERS[plan.kind]), *named)}
    for folder in sorted(folders):
        if not folders & set(folder.parents):
            yield Mount(sandbox.path(str(folder)), str(folder), is_writable=True)


def _host(engine: Engine, container: EngineContainer, sandbox: Sandbox) -> Host:
    launch = Launch(command_lines.run(engine.program, container))
    return Host(
        container.hostname, launch, sandbox.root, {**engine.environment, **command_lines.environment(container)}
    )


def _network(plan: JobPlan, job: str) -> str:
    """This machine's network, none for a host that is alone, or one of the job's own."""
    if not plan.is_isolated:
        return MACHINE_NETWORK
    return NO_NETWORK if len(plan.hosts) == 1 else job


def _own(engine: Engine, image: str, folder: Path) -> None:
    """Give this user what a container of root has written, if that is another user."""
    owner = os.getuid(), os.getgid()
    if any(path.lstat().st_uid != owner[0] for path in folder.rglob("*")):
        engine.call(command_lines.change_owner(engine.program, image, folder, owner))


def _half_of_the_memory() -> int:
    """What /dev/shm has on a machine; engines give 64 megabytes, in which no loader of PyTorch works."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2 >> 20
