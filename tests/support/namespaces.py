"""Takes Linux namespaces from the tests, as a kernel does that refuses them: TESTS_WITHOUT_NAMESPACES=1.

The process enters a user namespace in which none can be made, and so do all processes that it starts.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "TESTS_WITHOUT_NAMESPACES"
_NEW_USER = 0x10000000
_MOST = Path("/proc/sys/user/max_user_namespaces")


def switch_off(environment: Mapping[str, str]) -> None:
    """Take namespaces away if the variable says so; a worker of pytest-xdist comes without them."""
    wanted = environment.get(VARIABLE, "")
    if wanted not in ("", "0", "1"):
        raise ValueError(f"{VARIABLE}={wanted} is unclear; write {VARIABLE}=1, or leave it out")
    if wanted == "1" and sys.platform == "linux" and _are_left():
        _enter_user_namespace()
        _MOST.write_text("0", encoding="ascii")


def _are_left() -> bool:
    return _MOST.is_file() and _MOST.read_text(encoding="ascii").strip() != "0"


def _enter_user_namespace() -> None:
    """Enter a namespace in which this user is who it was, and may write its settings."""
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_USER) < 0:
        raise OSError(ctypes.get_errno(), "this machine gives no namespace, so none needs to be taken away")
    for name, content in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        Path("/proc/self", name).write_text(content, encoding="ascii")
