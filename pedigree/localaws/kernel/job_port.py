"""The port by which the processes of a job find each other: all jobs share the ports of one machine."""

from __future__ import annotations

import socket
import zlib

# Below the ports that systems give to outgoing connections, and above those that servers usually listen on.
_FIRST, _COUNT = 20_000, 12_000


def job_port(name: str) -> int:
    """A port that is free now, and that no job of another name is likely to get before it is used."""
    start = zlib.crc32(name.encode())
    ports = (_FIRST + (start + step) % _COUNT for step in range(_COUNT))
    return next(filter(_is_free, ports), _FIRST)


def _is_free(port: int) -> bool:
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("", port))
        except OSError:
            return False
    return True
