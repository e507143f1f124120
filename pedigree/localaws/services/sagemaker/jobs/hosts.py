"""Makes what each host of a job runs: its command in a container, or with rewritten paths where there are none."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pedigree.localaws.containers import image_files
from pedigree.localaws.containers.container import TMP, Container, Mount
from pedigree.localaws.containers.runtime import ENVIRONMENT, ContainerRuntime
from pedigree.localaws.kernel.processes import Host, Launch
from pedigree.localaws.services.sagemaker.jobs.plans import ROOT, JobPlan
from pedigree.localaws.services.sagemaker.jobs.sandbox import Sandbox
from pedigree.localaws.services.sagemaker.resources.images import PROGRAMS, PROGRAMS_FOLDER

BASE = "SAGEMAKER_BASE_DIR"
_ANYBODY = 0o1777


@dataclass(frozen=True)
class HostSetup:
    """What the hosts of a job share: their environment, layers on it, and the process of a network of their own."""

    environment: Path
    layers: tuple[Path, ...] = ()
    network: int = 0


@dataclass(frozen=True)
class HostFactory:
    """Makes the hosts of jobs.

    machine_folder is what this machine itself has as /opt/ml, where a job without a container must not write.
    """

    containers: ContainerRuntime
    machine_folder: Path = Path(ROOT)

    def hosts(
        self, plan: JobPlan, sandboxes: Sequence[Sandbox], base: Mapping[str, str], setup: HostSetup
    ) -> list[Host]:
        """The hosts of a job, which start together."""
        contained = partial(self._contained, setup=setup)
        make: Callable[..., Host] = contained if self.containers.has_containers else self._mapped
        return [make(plan, name, sandbox, base) for name, sandbox in zip(plan.hosts, sandboxes, strict=True)]

    def _contained(
        self, plan: JobPlan, name: str, sandbox: Sandbox, base: Mapping[str, str], *, setup: HostSetup
    ) -> Host:
        own = self._with_image_files(plan, sandbox)
        bare = replace(own, hostname=name, addresses=plan.addresses, network=setup.network)
        changes = sandbox.folder / "changes"
        container = self.containers.with_python(bare, setup.environment, changes, setup.layers)
        launch = self.containers.launched(container, plan.command)
        variables = _with_modules(plan, {**base, **ENVIRONMENT, **plan.environment}, PROGRAMS)
        return Host(name, launch, sandbox.root / "code", variables)

    def _with_image_files(self, plan: JobPlan, sandbox: Sandbox) -> Container:
        machine, has_layers = self.containers.machine, self.containers.support.has_layers
        shown = image_files.shown(sandbox.image, machine, sandbox.folder / "layers", has_layers=has_layers)
        mounts = (*_folders(sandbox), Mount(PROGRAMS_FOLDER, PROGRAMS), *shown.mounts)
        return Container("", plan.working_folder, mounts, tuple(shown.layers), shown.links)

    def _mapped(self, plan: JobPlan, name: str, sandbox: Sandbox, base: Mapping[str, str]) -> Host:
        # TMPDIR stays the machine's own, since the paths of sockets must be short.
        own = {BASE: str(sandbox.root), "HOME": str(sandbox.folder)}
        given, asked = ({name: sandbox.mapped(value) for name, value in of.items()} for of in (base, plan.environment))
        words = (word.replace(PROGRAMS, str(PROGRAMS_FOLDER)) for word in plan.command)
        launch = Launch([sandbox.mapped(word) for word in words])
        folder = sandbox.place(plan.working_folder) if plan.working_folder.startswith(ROOT) else sandbox.root
        return Host(name, launch, folder, _with_modules(plan, {**given, **own, **asked}, str(PROGRAMS_FOLDER)))


def _with_modules(plan: JobPlan, variables: Mapping[str, str], programs: str) -> Mapping[str, str]:
    """The variables by which scripts find the modules of the image, after their own."""
    if not plan.has_image_modules:
        return variables
    folders = (variables.get("PYTHONPATH"), f"{programs}/shims")
    return {**variables, "PYTHONPATH": os.pathsep.join(filter(None, folders))}


def _folders(sandbox: Sandbox) -> tuple[Mount, ...]:
    """/opt/ml, /tmp and a home, which are folders of the sandbox.

    A job may change its input, as on AWS: the drivers of the SDK, version 3, are a channel and made executable.
    """
    for folder in sandbox.folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    sandbox.folders[TMP].chmod(_ANYBODY)
    return tuple(Mount(folder, target, is_writable=True) for target, folder in sandbox.folders.items())
