"""Runs commands in containers for tests, as this user and as an ordinary one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pedigree.localaws.containers import launch
from pedigree.localaws.containers.container import Container, Mount
from pedigree.localaws.containers.machine import Machine, this_machine
from pedigree.localaws.containers.runtime import ContainerRuntime, container_runtime
from pedigree.localaws.kernel.processes import Launch

HAS_CONTAINERS = container_runtime(()).has_containers
PYTHON = str(Path(sys.executable).resolve())
_SECONDS = 60
# Without any capability, and not as root: in a user namespace, which keeps this user's files readable.
_AS_USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")


class ContainerRunner:
    """Runs commands in containers, which an ordinary user has made unless it is privileged."""

    def __init__(self, folder: Path, *, is_privileged: bool = True) -> None:
        self.folder = folder
        self.runtime = container_runtime(())
        self.machine: Machine = this_machine()
        self._is_privileged = is_privileged

    def container(self, *mounts: Mount, **members: object) -> Container:
        """A container with this Python."""
        prefix = Path(PYTHON).parent.parent
        own = () if self.machine.shows(prefix) else (Mount(prefix, str(prefix)),)
        return replace(Container("algo-1", "/", (*own, *mounts)), **members)  # type: ignore[arg-type]

    def start(self, container: Container, *command: str) -> subprocess.Popen[str]:
        launched = self._launched(container, command)
        environment = {"PATH": os.environ["PATH"], "TEST": str(self.folder)}
        with launched.input() as plan:
            return subprocess.Popen(
                list(launched.command),
                stdin=plan,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env=environment,
                start_new_session=True,
            )

    def run(self, container: Container, *command: str) -> tuple[int, str]:
        """The exit status of a command, and what it printed."""
        with self.start(container, *command) as process:
            output, _ = process.communicate(timeout=_SECONDS)
            return process.returncode, output

    def shell(self, container: Container, script: str) -> str:
        """What a script printed, which must end well."""
        status, output = self.run(container, "/bin/sh", "-c", script)
        assert status == 0, output
        return output

    def python(self, container: Container, script: str) -> str:
        status, output = self.run(container, PYTHON, "-I", "-c", script)
        assert status == 0, output
        return output

    def _launched(self, container: Container, command: Sequence[str]) -> Launch:
        inner = launch.launched(container, self.machine, command)
        return inner if self._is_privileged else replace(inner, command=(*_AS_USER, *inner.command))


def runtime_without_namespaces() -> ContainerRuntime:
    return container_runtime((), uses_namespaces=False)
