"""Jobs and model servers end with all their child processes, even if another process holds their output open."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

import pytest

from pedigree.localaws import process as process_module
from pedigree.localaws.daemon import LocalAws, Options
from pedigree.localaws.kernel import orphans
from pedigree.localaws.kernel.errors import LocalAwsError
from pedigree.localaws.kernel.output_reader import OutputReader
from pedigree.localaws.kernel.processes import ExitStatus, Host, HostProcesses, Launch
from pedigree.localaws.services.sagemaker.endpoints.server_process import InstanceError, ServerProcess, ServerSpec
from tests.support.waiting import until

Result = TypeVar("Result")
TIMEOUT_SECONDS = 60
# A child that makes itself a daemon: it has a session of its own, and its parent's output.
DAEMON = """
import os, sys, time
started, starting = os.pipe()
if os.fork() == 0:
    os.setsid()
    if "unmarked" not in sys.argv:
        print("daemon", os.getpid(), flush=True)
    os.write(starting, b".")
    if "unmarked" in sys.argv:
        os.execve(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)"], {})
    time.sleep(60)
    os._exit(0)
os.read(started, 1)
"""
MODEL = f"""
{DAEMON}
def model_fn(folder):
    raise RuntimeError("no weights here")
"""


def within_timeout(work: Callable[[], Result]) -> Result:
    """Return the result of work that must not take long."""
    result: Future[Result] = Future()
    threading.Thread(target=lambda: result.set_result(work()), daemon=True).start()
    return result.result(TIMEOUT_SECONDS)


def is_running(process: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def daemon_ids(lines: list[str]) -> list[int]:
    return [int(line.split()[1]) for line in lines if line.startswith("daemon")]


def run_job(folder: Path, *arguments: str) -> tuple[ExitStatus, list[str]]:
    lines: list[str] = []
    command = [sys.executable, "-c", f"{DAEMON}\nprint('done', flush=True)", *arguments]
    processes = HostProcesses(
        [Host("one", Launch(command), folder, dict(os.environ))], lambda _host, line: lines.append(line)
    )
    return within_timeout(lambda: processes.wait(60)), lines


def test_a_job_ends_with_all_its_child_processes(tmp_path: Path) -> None:
    outcome, lines = run_job(tmp_path)
    assert outcome == ExitStatus(0)
    assert "done" in lines
    assert len(daemon_ids(lines)) == 1
    assert not any(is_running(process) for process in daemon_ids(lines))


def test_a_job_ends_although_an_unmarked_process_holds_its_output_open(tmp_path: Path) -> None:
    outcome, lines = run_job(tmp_path, "unmarked")
    assert (outcome, lines) == (ExitStatus(0), ["done"])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    code = tmp_path / "model" / "code"
    code.mkdir(parents=True)
    (code / "inference.py").write_text(MODEL)
    return tmp_path / "model"


def test_a_failing_model_server_ends_with_all_its_child_processes(model: Path) -> None:
    lines: list[str] = []
    server = ServerProcess(ServerSpec(sys.executable, model, dict(os.environ), lines.append))

    def failed() -> None:
        with pytest.raises(InstanceError, match="no weights here"):
            server.wait_until_ready(lambda: True)
        server.end()

    within_timeout(failed)
    assert len(daemon_ids(lines)) == 1
    assert not any(is_running(process) for process in daemon_ids(lines))


def test_a_line_that_cannot_be_stored_does_not_end_reading() -> None:
    reading, writing = os.pipe()
    lines: list[str] = []

    def store(line: str) -> None:
        lines.append(line)
        if line == "a":
            raise OSError("No space left on device")

    reader = OutputReader(os.fdopen(reading, "rb"), store)
    with os.fdopen(writing, "wb") as output:
        output.write(b"a\nb\n")
    assert reader.finish()
    assert lines == ["a", "b"]


def test_a_daemon_that_stops_leaves_no_process_with_its_marker(tmp_path: Path) -> None:
    local = LocalAws(Options(tmp_path, enforces_iam=False))
    local.start()
    marked = {**os.environ, **orphans.daemon_marker(tmp_path)}
    with subprocess.Popen(["/bin/sleep", "60"], env=marked, start_new_session=True) as orphan:
        local.stop()
        assert orphan.wait(TIMEOUT_SECONDS) == -signal.SIGKILL


FAILING = """
import sys, threading
from pedigree.localaws import __main__ as daemon
from pedigree.localaws.services.autoscaling.scaler import Scaler
def fail(self):
    threading.Thread(target=threading.Event().wait).start()  # one that keeps its process
    raise RuntimeError("something is broken")
setattr(Scaler, sys.argv.pop(1), fail)
daemon.run()
"""


@pytest.mark.parametrize("when", ["start", "stop"])
def test_a_daemon_that_fails_ends_at_once_and_says_why(tmp_path: Path, when: str) -> None:
    words = [sys.executable, "-c", FAILING, when, "--folder", str(tmp_path)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            if when == "stop":
                until(lambda: process_module.find(tmp_path) is not None, expected=True)
                process.terminate()
            _, errors = process.communicate(timeout=TIMEOUT_SECONDS)
        finally:
            process.kill()
    assert process.returncode == 1
    assert "RuntimeError: something is broken" in errors
    assert process_module.find(tmp_path) is None


def test_a_log_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    process_module.log_path(tmp_path).mkdir()
    with pytest.raises(
        process_module.DaemonError, match=r"daemon\.log cannot be written: Is a directory; choose another"
    ):
        process_module.up(tmp_path)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalAwsError, match="cannot be used: Not a directory; choose another"):
        process_module.up(tmp_path / "file" / "folder")
