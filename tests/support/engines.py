"""Container engines for tests: a fake one that keeps docker's command line, and podman where it runs.

podman gets a storage of the test's own, and an image that is made of this machine's system Python, without a registry.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SHELL_IMAGE = "localhost/tests/shell:1"
"""An image whose entrypoint is a shell's, with the tools of a small system."""
_CONFIGURATION = """
[containers]
cgroups = "disabled"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
_STORAGE = '[storage]\ndriver = "vfs"\ngraphroot = "{0}/images"\nrunroot = "{0}/running"\n'
_TOOLS = ("sh", "cat", "ls", "mkdir", "sleep", "env", "id", "rm", "touch", "chown", "hostname")
# crun knows no machine with both versions of cgroups: podman gets a view of this one without the second.
_WITHOUT_SECOND = 'umount /sys/fs/cgroup/unified 2>/dev/null; exec {} "$@"'


@dataclass(frozen=True)
class TestEngine:
    """An engine's name, the environment in which it is found, and its own folder."""

    __test__ = False

    name: str
    environment: Mapping[str, str]
    folder: Path

    def call(self, *words: str) -> str:
        """What the engine prints, called as a user calls it."""
        command = [shutil.which(self.name, path=self.environment["PATH"]) or self.name, *words]
        done = subprocess.run(command, env=dict(self.environment), capture_output=True, text=True, check=True)
        return done.stdout

    def calls(self) -> list[list[str]]:
        """How the fake one was called, in order."""
        return [json.loads(line) for line in (self.folder / "calls.jsonl").read_text(encoding="utf-8").splitlines()]


def fake(folder: Path, name: str = "docker") -> TestEngine:
    """The fake engine, which has the image SHELL_IMAGE."""
    programs = folder / "programs"
    programs.mkdir(parents=True)
    program = programs / name
    words = shlex.join([sys.executable, str(Path(__file__).with_name("fake_engine.py"))])
    program.write_text(f'#!/bin/sh\nFAKE_ENGINE={shlex.quote(str(folder))} exec {words} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    image = folder / "images" / SHELL_IMAGE
    image.parent.mkdir(parents=True)
    image.write_text('["/bin/sh", "-c"]', encoding="utf-8")
    return TestEngine(name, _found_in(programs), folder)


def podman(folder: Path) -> TestEngine:
    """podman with a storage in a folder, which has the image SHELL_IMAGE."""
    programs = folder / "programs"
    programs.mkdir(parents=True)
    for name, text in (("containers.conf", _CONFIGURATION), ("storage.conf", _STORAGE.format(folder))):
        (folder / name).write_text(text, encoding="utf-8")
    script = _WITHOUT_SECOND.format(shutil.which("podman"))
    program = programs / "podman"
    namespace = "unshare --mount " if os.getuid() == 0 else ""
    program.write_text(f'#!/bin/sh\nexec {namespace}sh -c {shlex.quote(script)} podman "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    own = {"CONTAINERS_CONF": str(folder / "containers.conf"), "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf")}
    engine = TestEngine("podman", {**_found_in(programs), **own}, folder)
    archive = folder / "root.tar"
    _pack_system(archive)
    engine.call("import", "--change", 'ENTRYPOINT ["/bin/sh","-c"]', str(archive), SHELL_IMAGE)
    archive.unlink()
    return engine


def podman_or_reason(folder: Path) -> TestEngine | str:
    """podman in a folder, or why it does not run here, which is found out by trying."""
    if shutil.which("podman") is None:
        return "there is no podman"
    try:
        engine = podman(folder)
        engine.call("run", "--rm", "--network", "host", SHELL_IMAGE, "true")
    except subprocess.CalledProcessError as error:
        return f"podman does not run here: {error.stderr.strip()}"
    return engine


def _found_in(programs: Path) -> dict[str, str]:
    return {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def _pack_system(archive: Path) -> None:
    """A root folder with a shell, some tools and the libraries that they load."""
    tools = [path for name in _TOOLS if (path := shutil.which(name, path="/bin:/usr/bin"))]
    with tarfile.open(archive, "w") as packed:
        for path in {*tools, *_libraries(tools)}:
            packed.add(os.path.realpath(path), arcname=path, recursive=False)
        for folder in ("tmp", "etc", "opt"):
            member = tarfile.TarInfo(folder)
            member.type, member.mode = tarfile.DIRTYPE, 0o777
            packed.addfile(member)


def _libraries(programs: Sequence[str]) -> Iterator[str]:
    listed = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    yield from (word for word in listed.split() if word.startswith("/") and not word.endswith(":"))
