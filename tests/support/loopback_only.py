"""A network that has only loopback, for programs that cannot be watched from inside; it counts what else they try.

Linux counts, for each network, what was to be sent and had no way: connections, and the packets of look-ups. The names
of hosts are asked of an address outside, so no look-up stays unseen because this machine answers it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_SECONDS = 300
_HOLD = """
import fcntl, socket, struct, subprocess, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 0x41))
for source, target in zip(sys.argv[1::2], sys.argv[2::2]):
    subprocess.run(["mount", "--bind", source, target], check=True)
print("ready", flush=True)
sys.stdin.read()
"""
# A name server of RFC 5737: it is nowhere.
_FILES = {
    "resolv.conf": "nameserver 192.0.2.1\noptions timeout:1 attempts:1\n",
    "nsswitch.conf": "hosts: files dns\n",
}
_COUNTER = re.compile(r"^Ip6OutNoRoutes\s+(\d+)$", re.MULTILINE)


class LoopbackOnly:
    """A network without a way out, as long as a process holds it."""

    def __init__(self, holder: int) -> None:
        self._holder = holder

    def run(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in this network."""
        entered = ("nsenter", f"--target={self._holder}", "--user", "--net", "--mount", "--preserve-credentials")
        return subprocess.run(
            [*entered, f"--wd={folder}", "--", *command],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )

    def attempts(self) -> int:
        """How often something was to leave this network."""
        network = Path("/proc", str(self._holder), "net")
        names, values = (network / "snmp").read_text().split("\n")[:2]
        older = dict(zip(names.split(), values.split(), strict=True))["OutNoRoutes"]
        newer = _COUNTER.search((network / "snmp6").read_text()) if (network / "snmp6").exists() else None
        return int(older) + int(newer[1] if newer else 0)


@contextmanager
def loopback_only(folder: Path) -> Iterator[LoopbackOnly]:
    """Make such a network; a folder is for the files that it needs."""
    mounts = []
    for name, content in _FILES.items():
        (folder / name).write_text(content)
        if Path("/etc", name).exists():
            mounts += [str(folder / name), str(Path("/etc", name).resolve())]
    command = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--", sys.executable, "-c", _HOLD, *mounts]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n"
        yield LoopbackOnly(holder.pid)
        holder.communicate()
