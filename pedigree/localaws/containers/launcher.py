"""Runs a command in namespaces of its own, on a root that has only what its plan names.

    python -I -S -c "the code on standard input" < CODE_AND_PLAN

The daemon has many threads and must not fork itself, so it starts this code, which imports little and is compiled
already, for each container.
There are three processes: this one, whose exit is that of the command; process 1 of the container, which prepares the
root and then forwards signals; and the command. When one ends, so do those below it, and when the daemon ends, all do.
The plan is a dictionary in marshal's format; container.py makes it. It holds no secrets, and neither do the arguments.
"""

from __future__ import annotations

import ctypes
import marshal
import os
import select
import sys

TYPE_CHECKING = False  # typing takes long to import
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from typing import Any
else:
    import _signal as signal  # the module signal makes enums of all numbers, which takes as long as all mounts

_NEW_NS, _NEW_UTS, _NEW_IPC = 0x20000, 0x4000000, 0x8000000
_NEW_USER, _NEW_PID, _NEW_NET = 0x10000000, 0x20000000, 0x40000000
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _BIND, _REC, _PRIVATE = 1, 2, 4, 8, 4096, 16384, 1 << 18
_DETACH = 2
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE = 442, -100, 0x8000  # no libc of today has a function for this call
_SET_DEATH_SIGNAL, _SET_DUMPABLE, _DROP_BOUND, _NO_NEW_PRIVILEGES = 1, 4, 24, 38
_INET, _DATAGRAM, _SET_FLAGS, _IS_UP = 2, 2, 0x8914, 0x41
_NEW = "/tmp"  # noqa: S108  # a folder that every system has; it gets a mount that nothing else sees
_OLD = "/.old"
_LAYERS = "/.layers"
_CONTENT = "/.content"
_MOST_DESCRIPTORS = 1 << 16
_FORWARDED = (signal.SIGTERM, signal.SIGINT)
FAILED, NOT_EXECUTABLE, NOT_FOUND = 125, 126, 127  # as docker run has them

_libc = ctypes.CDLL(None, use_errno=True)


class _Attributes(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns"))


class ContainerError(Exception):
    """A step of the preparation that the system refuses."""


def _call(name: str, *arguments: object) -> None:
    words = [argument.encode() if isinstance(argument, str) else argument for argument in arguments]
    if getattr(_libc, name)(*words) < 0:
        shown = " ".join(str(argument) for argument in arguments if isinstance(argument, str))
        raise ContainerError(f"{name} {shown}: {os.strerror(ctypes.get_errno())}".replace(" :", ":"))


def _mount(source: str, target: str, kind: str | None = None, flags: int = 0, data: str | None = None) -> None:
    _call("mount", source, target, kind, ctypes.c_ulong(flags), data)


def _restrict(target: str, flags: int) -> None:
    """Add flags to a mount and to all mounts below it."""
    attributes = _Attributes(set=flags)
    path = target.encode()
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    if _libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, path, _AT_RECURSIVE, ctypes.byref(attributes), size) < 0:
        raise ContainerError(f"mount_setattr {target}: {os.strerror(ctypes.get_errno())}")


def _make_file(target: str, content: str = "") -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "w", encoding="utf-8") as file:
        file.write(content)


def _replace_file(target: str, content: str) -> None:
    """Give a file another content, in a folder that may be read-only."""
    if not os.path.exists(target):
        _make_file(target, content)
        return
    _make_file(_CONTENT, content)
    _mount(_CONTENT, target, None, _BIND)
    os.remove(_CONTENT)


def _make_point(source: str, target: str) -> None:
    """Make what a mount needs at its target: a folder, or a file."""
    if os.path.exists(target):
        return
    if os.path.isdir(source):
        os.makedirs(target)
    else:
        _make_file(target)


def _bind(source: str, target: str, flags: int) -> None:
    """Show a file or folder of the machine; flags say what is forbidden there."""
    _make_point(_OLD + source, target)
    _mount(_OLD + source, target, None, _BIND | _REC)
    _restrict(target, flags)


def _bind_writable(source: str, target: str) -> None:
    _bind(source, target, _NOSUID | _NODEV)


def _bind_readable(source: str, target: str) -> None:
    _bind(source, target, _RDONLY | _NOSUID | _NODEV)


def _bind_device(source: str, target: str) -> None:
    _bind(source, target, _NOSUID)


def _folder_in_memory(target: str, mode: str) -> None:
    os.makedirs(target, exist_ok=True)
    _mount("tmpfs", target, "tmpfs", _NOSUID | _NODEV, f"mode={mode}")


def _terminals(target: str) -> None:
    os.makedirs(target, exist_ok=True)
    _mount("devpts", target, "devpts", _NOSUID | _NOEXEC, "newinstance,ptmxmode=0666,mode=620")


def _hide(target: str) -> None:
    """Put something empty in the place of a file or folder that another mount shows."""
    if os.path.isdir(target):
        _folder_in_memory(target, "755")
    elif os.path.exists(target):
        _bind_readable("/dev/null", target)


def _folder(target: str) -> None:
    os.makedirs(target, exist_ok=True)


def _link(destination: str, target: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    os.symlink(destination, target)


def _processes(target: str) -> None:
    os.makedirs(target, exist_ok=True)
    _mount("proc", target, "proc", _NOSUID | _NODEV | _NOEXEC)


def _layer(source: str, changes: str, target: str, *between: str) -> None:
    """Show a folder that looks writable: what is written goes to a folder of changes, on earlier ones between."""
    # Paths of the machine may contain what separates an overlay's options, these do not.
    beside = f"{_LAYERS}/changes"
    lower = [f"{_LAYERS}/{number}" for number in range(len(between) + 1)]
    for folder, shown in zip((*between, source, changes), (*lower, beside), strict=True):
        os.makedirs(shown, exist_ok=True)
        _mount(_OLD + folder, shown, None, _BIND)
    os.makedirs(target, exist_ok=True)
    options = f"lowerdir={':'.join(lower)},upperdir={beside}/upper,workdir={beside}/work,userxattr"
    _mount("overlay", target, "overlay", _NOSUID | _NODEV, options)
    os.chmod(f"{beside}/work/work", 0o700)  # so that its owner can remove it, as the kernel has no mode for it
    for shown in (*lower, beside):
        _call("umount2", shown, _DETACH)
        os.rmdir(shown)


_STEPS: dict[str, Callable[..., None]] = {
    "readable": _bind_readable,
    "writable": _bind_writable,
    "device": _bind_device,
    "folder": _folder,
    "memory": _folder_in_memory,
    "terminals": _terminals,
    "processes": _processes,
    "file": _replace_file,
    "link": _link,
    "hide": _hide,
    "layer": _layer,
}


def _enter_user_namespace(more: int = 0) -> None:
    """Become root of a new user namespace; outside of it, the user stays who it is."""
    user, group = os.getuid(), os.getgid()
    _call("unshare", _NEW_USER | more)
    try:
        for name, content in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            _make_file(f"/proc/self/{name}", content)
    except OSError as error:
        raise ContainerError(f"user namespace: {error.strerror}") from None


def _enter_namespaces(network: int, *, has_own_network: bool) -> None:
    own = _NEW_NS | _NEW_PID | _NEW_UTS | _NEW_IPC
    if not network:
        _enter_user_namespace(own | (_NEW_NET if has_own_network else 0))
        if has_own_network:
            _raise_loopback()
        return
    # The network belongs to a user namespace, which all hosts of the job enter.
    try:
        namespaces = [os.open(f"/proc/{network}/ns/{name}", os.O_RDONLY) for name in ("user", "net")]
    except OSError as error:
        raise ContainerError(f"the job's network is gone: {error.strerror}") from None
    for namespace in namespaces:
        _call("setns", namespace, 0)
        os.close(namespace)
    _call("unshare", own)


def _enter_root(steps: list[list[str]]) -> None:
    """Build the new root and leave the old one."""
    _mount("none", "/", None, _REC | _PRIVATE)
    _mount("tmpfs", _NEW, "tmpfs", _NOSUID | _NODEV, "mode=755")
    os.mkdir(_NEW + _OLD)
    _call("pivot_root", _NEW, _NEW + _OLD)
    os.chdir("/")
    for name, *arguments in steps:
        try:
            _STEPS[name](*arguments)
        except OSError as error:
            raise ContainerError(f"{name} {' '.join(arguments)}: {error.strerror}") from None
    _call("umount2", _OLD, _DETACH)
    for folder in (_OLD, _LAYERS):
        if os.path.isdir(folder):
            os.rmdir(folder)


def _raise_loopback() -> None:
    request = ctypes.create_string_buffer(b"lo".ljust(16, b"\0") + _IS_UP.to_bytes(2, sys.byteorder), 40)
    descriptor = _libc.socket(_INET, _DATAGRAM, 0)
    _call("ioctl", descriptor, ctypes.c_ulong(_SET_FLAGS), request)
    os.close(descriptor)


def _give_up_rights() -> None:
    """Leave no capability to what is executed next, and no way to get one."""
    capability = 0
    while _libc.prctl(_DROP_BOUND, capability, 0, 0, 0) == 0:
        capability += 1
    _call("prctl", _NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def _execute(plan: dict[str, Any]) -> None:
    """Become the command."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores, and a command does not
        signal.signal(number, signal.SIG_DFL)
    _give_up_rights()
    os.setsid()
    os.chdir(plan["folder"])
    os.execvp(plan["command"][0], plan["command"])  # noqa: S606  # running a command is the purpose


def _start_command(plan: dict[str, Any]) -> int:
    command = os.fork()
    if command:
        return command
    code = FAILED
    try:
        _execute(plan)
    except ContainerError as error:
        sys.stderr.write(f"the container cannot be made: {error}\n")
    except OSError as error:
        sys.stderr.write(f"{plan['command'][0]}: {error.strerror}\n")
        code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
    sys.stderr.flush()
    os._exit(code)


def _run_process_1(plan: dict[str, Any], result: int) -> None:
    """Prepare the container, run the command, and report how it ended; the kernel ends everything else with this."""
    os.setsid()  # a signal to the group of the process that the daemon knows comes by that process only
    _call("prctl", _SET_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0)
    _enter_root(plan["steps"])
    name = plan["hostname"].encode()
    _call("sethostname", name, ctypes.c_size_t(len(name)))
    command = _start_command(plan)
    _close_all_but((result,))
    _forward_signals(command)
    while True:
        process, status = os.wait()
        if process == command:
            os.write(result, status.to_bytes(4, "little"))
            os._exit(0)


def _close_all_but(kept: tuple[int, ...]) -> None:
    """Close the pipes that only the command is to hold open, so that their other ends see when it closes them."""
    above = 3
    for descriptor in sorted(kept):
        os.closerange(above, descriptor)
        above = descriptor + 1
    os.closerange(above, _MOST_DESCRIPTORS)


def _forward_signals(process: int) -> None:
    for number in _FORWARDED:
        signal.signal(number, lambda given, _frame: _send(process, given))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)


def _send(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return


def _run(plan: dict[str, Any]) -> int:
    """Run process 1 and wait for it, or for the end of the daemon; the wait status of the command."""
    daemon = os.pidfd_open(os.getppid())
    _enter_namespaces(plan["network"], has_own_network=plan["has_own_network"])
    results, result = os.pipe()
    process_1 = os.fork()
    if not process_1:
        _as_process_1(plan, result)
    _close_all_but((daemon, results))
    _forward_signals(process_1)
    _wait_for((daemon, results))
    status = os.read(results, 4) if _is_readable(results) else b""
    if not status:
        _send(process_1, signal.SIGKILL)
    _, ended = os.waitpid(process_1, 0)  # with it, all processes of the container have ended
    return int.from_bytes(status, "little") if status else ended or int(signal.SIGKILL)


def _as_process_1(plan: dict[str, Any], result: int) -> None:
    try:
        _run_process_1(plan, result)
    except (ContainerError, OSError) as error:
        sys.stderr.write(f"the container cannot be made: {error}\n")
        sys.stderr.flush()
        os._exit(FAILED)


def _wait_for(descriptors: tuple[int, ...]) -> None:
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    poll.poll()


def _is_readable(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])


def _hold_network() -> int:
    """Keep a network without a way out for the hosts of a job, until the daemon ends this process, or ends."""
    daemon = os.pidfd_open(os.getppid())
    _enter_user_namespace(_NEW_NET)
    _raise_loopback()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
    _wait_for((daemon,))
    return 0


def _end_as(status: int) -> int:
    """End this process as the command ended, by the same signal if it was one."""
    if not os.WIFSIGNALED(status):
        return os.WEXITSTATUS(status)
    number = os.WTERMSIG(status)
    _call("prctl", _SET_DUMPABLE, 0, 0, 0, 0)  # the core of this process would tell nothing
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number


def main() -> int:
    """Carry out the plan on standard input."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)  # until there is something to forward them to
    plan = marshal.load(sys.stdin.buffer)  # noqa: S302  # written by the daemon, which runs this
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    try:
        return _hold_network() if plan["is_network"] else _end_as(_run(plan))
    except (ContainerError, OSError) as error:
        sys.stderr.write(f"the container cannot be made: {error}\n")
        return FAILED


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # there is nothing to tidy up
