"""The launcher makes containers: what they see, what they can change, and how they end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pedigree.localaws.containers import launch
from pedigree.localaws.containers.container import Container, Mount, Overlay
from pedigree.localaws.containers.network import isolated_network
from pedigree.localaws.kernel import orphans
from pedigree.localaws.kernel.processes import end_group
from tests.support.containers import PYTHON, ContainerRunner
from tests.support.processes import running_processes
from tests.support.waiting import until

SLEEP = f"sleep 1000.{os.getpid()}"  # found among the processes of this machine by its words


def test_a_container_has_the_system_and_nothing_of_this_machines_users(runner: ContainerRunner) -> None:
    (runner.folder / "secret").write_text("secret")
    output = runner.shell(runner.container(), "ls /usr/bin/env; ls -A /home /srv /mnt /var/lib /run; ls $TEST || true")
    assert output.splitlines()[0] == "/usr/bin/env"
    assert "secret" not in output
    assert "No such file" in output


def test_system_folders_are_read_only_and_new_folders_stay_in_the_container(runner: ContainerRunner) -> None:
    names = [f"{folder}/of-a-test-{runner.folder.name}" for folder in ("/etc", "/usr", "/sys")]
    script = "".join(f"touch {name} 2>&1 | grep -c -i 'read-only\\|denied'; " for name in names)
    assert (
        runner.shell(runner.container(), f"{script} mkdir /new && touch /new/file /root/file /tmp/file") == "1\n1\n1\n"
    )
    assert not any(Path(name).exists() for name in (*names, "/new"))


COPY = """
import os, pathlib, shutil
libraries = pathlib.Path("/opt/ml/model/shared_libs")
libraries.mkdir(parents=True)
(libraries / "of-a-model.so").touch()
shutil.copytree(libraries, "/lib", dirs_exist_ok=True)
print("of-a-model.so" in os.listdir("/lib"), len(os.listdir("/lib")) > 1)
"""


def test_a_models_libraries_can_be_copied_to_those_of_the_system(runner: ContainerRunner) -> None:
    assert runner.python(runner.container(), COPY) == "True True\n"
    assert not Path("/lib/of-a-model.so").exists()


def test_what_not_everybody_may_read_in_etc_is_hidden(runner: ContainerRunner) -> None:
    script = "cat /etc/passwd > /dev/null && ! cat /etc/shadow"
    assert "root:" not in runner.shell(runner.container(), script)


def test_devices_are_those_of_every_container(runner: ContainerRunner) -> None:
    output = runner.shell(
        runner.container(), "ls /dev; echo x > /dev/null; head -c 4 /dev/urandom | wc -c; : > /dev/shm/x"
    )
    assert {"null", "urandom", "shm", "fd", "pts"} <= set(output.split())
    assert not {"vda", "sda", "mem", "kmsg", "loop0"} & set(output.split())


def test_a_mount_is_read_only_unless_it_is_writable(runner: ContainerRunner) -> None:
    for name in ("read", "write"):
        (runner.folder / name).mkdir()
    mounts = Mount(runner.folder / "read", "/opt/read"), Mount(runner.folder / "write", "/opt/write", is_writable=True)
    runner.shell(runner.container(*mounts), "! touch /opt/read/x; touch /opt/write/x")
    assert [path.name for path in runner.folder.glob("*/x")] == ["x"]
    assert (runner.folder / "write" / "x").exists()


def test_a_layer_takes_changes_and_its_source_has_none(runner: ContainerRunner) -> None:
    source, changes = runner.folder / "a, b:c", runner.folder / "changes"
    for folder in (source, changes / "upper", changes / "work"):
        folder.mkdir(parents=True)
    (source / "old").write_text("old")
    container = runner.container(layers=(Overlay(source, changes),))
    script = f"cd '{source}' && cat old && echo new > old && echo more > more && cat old more"
    assert runner.shell(container, script) == "oldnew\nmore\n"
    assert {path.name: path.read_text() for path in source.iterdir()} == {"old": "old"}


def test_a_layer_may_stand_on_earlier_changes_and_leaves_them_as_they_are(runner: ContainerRunner) -> None:
    source, first, second = (runner.folder / name for name in ("source", "first", "second"))
    for folder in (source, *(changes / name for changes in (first, second) for name in ("upper", "work"))):
        folder.mkdir(parents=True)
    (source / "old").write_text("old ")
    (source / "gone").touch()
    runner.shell(runner.container(layers=(Overlay(source, first),)), f"cd {source}; echo -n first > new; rm gone")
    container = runner.container(layers=(Overlay(source, second, (first / "upper",)),))
    assert runner.shell(container, f"cd {source} && cat old new && ls && echo second > new") == "old firstnew\nold\n"
    assert (first / "upper" / "new").read_text() == "first"


def test_hosts_have_names_and_processes_are_the_containers_own(runner: ContainerRunner) -> None:
    container = runner.container(addresses={"algo-1": "127.0.0.1", "algo-2": "127.0.0.2"})
    script = (
        "import os, socket; print(socket.gethostbyname('algo-2'), socket.gethostname(), os.listdir('/proc').count('1'))"
    )
    assert runner.python(container, script) == "127.0.0.2 algo-1 1\n"
    assert runner.shell(container, "echo $$") == "2\n"


def test_a_command_has_no_capability_and_gets_none(runner: ContainerRunner) -> None:
    output = runner.shell(runner.container(), "grep -E 'Cap|NoNewPrivs' /proc/self/status; ! mount -t tmpfs x /mnt")
    sets = dict(line.split(":\t") for line in output.splitlines() if line.startswith(("Cap", "NoNew")))
    assert sets.pop("NoNewPrivs") == "1"
    assert set(sets.values()) == {"0" * 16}


@pytest.mark.parametrize(("script", "status"), [("exit 7", 7), ("kill -TERM $$", -15), ("kill -KILL $$", -9)])
def test_a_container_ends_as_its_command_does(runner: ContainerRunner, script: str, status: int) -> None:
    runner_status, _ = runner.run(runner.container(), "/bin/sh", "-c", script)
    assert runner_status == status


@pytest.mark.parametrize(("command", "status"), [("/no/such/command", 127), ("/etc/passwd", 126)])
def test_a_command_that_cannot_be_executed_says_so(runner: ContainerRunner, command: str, status: int) -> None:
    assert runner.run(runner.container(), command)[0] == status


def test_a_mount_that_is_not_there_is_an_error_in_words(runner: ContainerRunner) -> None:
    status, output = runner.run(runner.container(links={"/usr/bin": "x"}), "/bin/true")
    assert status == 125
    assert output.startswith("the container cannot be made: link x /usr/bin: ")


def started(runner: ContainerRunner, script: str) -> subprocess.Popen[str]:
    """Start a script that prints a line as soon as it is ready."""
    process = runner.start(runner.container(), "/bin/sh", "-c", script)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_signal_to_the_group_reaches_the_command_once(tmp_path: Path) -> None:
    script = "trap 'echo term; end=1' TERM; echo ready; until test $end; do sleep 0.05; done; sleep 0.2; exit 3"
    with started(ContainerRunner(tmp_path), script) as process:
        end_group(process.pid, signal.SIGTERM)
        assert process.stdout is not None
        assert process.stdout.read() == "term\n"
    assert process.returncode == 3


def test_every_process_ends_with_the_command(tmp_path: Path) -> None:
    script = f"env -i setsid {SLEEP} & echo ready; sleep 0.1"
    before = sleepers()
    with started(ContainerRunner(tmp_path), script) as process:
        process.wait()
    assert sleepers() == before


def test_every_process_ends_when_the_launcher_is_killed(tmp_path: Path) -> None:
    before = sleepers()
    with started(ContainerRunner(tmp_path), f"env -i setsid {SLEEP} & echo ready; {SLEEP}") as process:
        end_group(process.pid, signal.SIGKILL)
    until(lambda: sleepers() == before)


def sleepers() -> int:
    """The number of processes of this test that sleep for long."""
    count = 0
    for process in Path("/proc").iterdir():
        try:
            count += (
                process.name.isdecimal()
                and (process / "cmdline").read_bytes() == SLEEP.replace(" ", "\0").encode() + b"\0"
            )
        except OSError:
            continue
    return count


# Starts a container in a thread that ends, says so, and stays until it is killed.
DAEMON = """
import os, subprocess, sys, threading
from pathlib import Path
from pedigree.localaws.kernel import orphans
from tests.support.containers import ContainerRunner
os.environ.update(orphans.daemon_marker(Path(sys.argv[1])))
runner = ContainerRunner(Path(sys.argv[1]))
def start():
    process = runner.start(runner.container(), "/bin/sh", "-c", f"echo ready; {sys.argv[2]}")
    process.stdout.readline()
starting = threading.Thread(target=start)
starting.start()
starting.join()
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_container_outlives_the_thread_that_started_it_and_not_the_daemon(tmp_path: Path) -> None:
    before = sleepers()
    command = [sys.executable, "-c", DAEMON, str(tmp_path), SLEEP]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == "ready\n"
        until(lambda: sleepers() == before + 1)
        daemon.kill()
    until(lambda: sleepers() == before)


def test_a_killed_daemons_containers_are_found_by_its_marker(tmp_path: Path) -> None:
    marker = orphans.daemon_marker(tmp_path)
    launched = launch.launched(Container("algo-1", "/"), ContainerRunner(tmp_path).machine, ("/bin/sleep", "1000"))
    with launched.input() as plan, subprocess.Popen(list(launched.command), stdin=plan, env=dict(marker)) as process:
        until(lambda: len(running_processes(tmp_path)) == 3)
        assert orphans.kill_orphans(tmp_path) > 0
        assert process.wait() == -signal.SIGKILL
    assert not running_processes(tmp_path)


LISTEN = """
import socket
with socket.create_server(("algo-2", 0)) as server:
    print(server.getsockname()[1], flush=True)
    connection, _ = server.accept()
    connection.sendall(b"hello from algo-2")
"""


def test_hosts_in_an_isolated_network_reach_each_other_and_not_this_machine(tmp_path: Path) -> None:
    runner = ContainerRunner(tmp_path)
    addresses = {"algo-1": "127.0.0.1", "algo-2": "127.0.0.2"}
    with isolated_network({}) as network, socket.create_server(("127.0.0.1", 0)) as outside:
        container = runner.container(addresses=addresses, network=network)
        with runner.start(container, PYTHON, "-I", "-c", LISTEN) as server:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            assert runner.python(container, connect("algo-2", port)) == "hello from algo-2\n"
        port = outside.getsockname()[1]
        status, output = runner.run(container, PYTHON, "-I", "-c", connect("127.0.0.1", port))
        assert (status, output.splitlines()[-1]) == (1, "ConnectionRefusedError: [Errno 111] Connection refused")
        with runner.start(runner.container(), PYTHON, "-I", "-c", connect("127.0.0.1", port)) as client:
            with outside.accept()[0] as connection:
                connection.sendall(b"hello from outside")
            assert client.communicate()[0] == "hello from outside\n"


def test_a_container_with_a_network_of_its_own_has_a_loopback_that_nobody_else_has(runner: ContainerRunner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as outside:
        port = outside.getsockname()[1]
        container = runner.container(has_own_network=True)
        status, output = runner.run(container, PYTHON, "-I", "-c", connect("127.0.0.1", port))
    assert (status, output.splitlines()[-1]) == (1, "ConnectionRefusedError: [Errno 111] Connection refused")
    own = f"import socket; server = socket.create_server(('127.0.0.1', {port})); print(server.getsockname()[1])"
    assert runner.python(container, own) == f"{port}\n"


def connect(host: str, port: int) -> str:
    """A script that prints what a server says."""
    return f"import socket; print(socket.create_connection(({host!r}, {port})).recv(99).decode())"


def test_a_network_that_is_gone_is_an_error_in_words(tmp_path: Path) -> None:
    runner = ContainerRunner(tmp_path)
    with isolated_network({}) as network:
        pass
    status, output = runner.run(runner.container(network=network), "/bin/true")
    assert (status, output) == (
        125,
        "the container cannot be made: the job's network is gone: No such file or directory\n",
    )
