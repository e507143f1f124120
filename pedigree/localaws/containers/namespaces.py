"""Finds out once, by trying, whether this machine's kernel lets the daemon make containers, and if not, why."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pedigree.localaws.containers import launch
from pedigree.localaws.containers.container import Container, Mount, Overlay
from pedigree.localaws.containers.machine import Machine

SWITCHED_OFF = "they are switched off"
_SECONDS = 30
_NO_MEANING = -1
_SYSCTLS = (
    ("user/max_user_namespaces", 0, "user.max_user_namespaces is 0"),
    ("kernel/unprivileged_userns_clone", 0, "kernel.unprivileged_userns_clone is 0"),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        1,
        "AppArmor keeps them from unprivileged users: kernel.apparmor_restrict_unprivileged_userns is 1",
    ),
)


@dataclass(frozen=True)
class Support:
    """Whether containers can be made; has_layers: whether they can have layers. Otherwise reason says why not."""

    reason: str = ""
    has_layers: bool = False

    @property
    def has_containers(self) -> bool:
        return not self.reason


def probe(machine: Machine) -> Support:
    """Try to make a container, with a layer first."""
    if sys.platform != "linux":
        return Support("this system has no namespaces, only Linux has")
    with tempfile.TemporaryDirectory(prefix="pedigree-") as folder:
        error = _try(machine, _with_layer(Path(folder)))
        if not error:
            return Support(has_layers=True)
        error = _try(machine, ())
    return Support(_explained(error)) if error else Support()


def _with_layer(folder: Path) -> tuple[Overlay, ...]:
    for name in ("source", "changes/upper", "changes/work"):
        (folder / name).mkdir(parents=True)
    return (Overlay(folder / "source", folder / "changes"),)


def _try(machine: Machine, layers: tuple[Overlay, ...]) -> str:
    """The error of a container that runs this Python; empty if there is none."""
    python = Path(sys.executable).resolve()
    mounts = (Mount(path, str(path)) for path in (python.parent.parent,) if not machine.shows(path))
    container = Container("probe", "/", tuple(mounts), layers)
    launched = launch.launched(container, machine, (str(python), "-I", "-S", "-c", "pass"))
    try:
        done = subprocess.run(  # noqa: S603  # this Python
            launched.command, input=launched.plan, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    words = done.stderr.decode(errors="replace").strip().splitlines()
    return (words or [f"it ended with {done.returncode}"])[-1] if done.returncode else ""


def _explained(error: str, settings: Path = Path("/proc/sys")) -> str:
    """The error, and the setting of the kernel that is behind it, if there is one."""
    values = [(meaning, _value(settings / name) == refused) for name, refused, meaning in _SYSCTLS]
    return next((meaning for meaning, is_refused in values if is_refused), error)


def _value(path: Path) -> int:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return _NO_MEANING
