"""Jobs and model servers end whole: whatever they have started, and whoever holds what they print."""

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

from pedigree.localaws.daemon import LocalAws, Options
from pedigree.localaws.kernel import orphans
from pedigree.localaws.kernel.output_reader import OutputReader
from pedigree.localaws.kernel.processes import Host, HostProcesses, Outcome
from pedigree.localaws.services.sagemaker.endpoints.instances import Instance, InstanceError, InstanceSpec

Told = TypeVar("Told")
PATIENCE_SECONDS = 20
# A daemon as one makes itself: in a session of its own, with the output of who has started it.
DAEMON = """
import os, sys, time
begun, says_begun = os.pipe()
if os.fork() == 0:
    os.setsid()
    if "unmarked" not in sys.argv:
        print("daemon", os.getpid(), flush=True)
    os.write(says_begun, b".")
    if "unmarked" in sys.argv:
        os.execve(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)"], {})
    time.sleep(60)
    os._exit(0)
os.read(begun, 1)
"""
MODEL = f"""
{DAEMON}
def model_fn(folder):
    raise RuntimeError("no weights here")
"""


def in_time(work: Callable[[], Told]) -> Told:
    """What something comes to, which must not take long."""
    told: Future[Told] = Future()
    threading.Thread(target=lambda: told.set_result(work()), daemon=True).start()
    return told.result(PATIENCE_SECONDS)


def is_there(process: int) -> bool:
    """Whether a process runs; one that nobody has taken leave of does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def daemons(lines: list[str]) -> list[int]:
    return [int(line.split()[1]) for line in lines if line.startswith("daemon")]


def ended(folder: Path, *arguments: str) -> tuple[Outcome, list[str]]:
    lines: list[str] = []
    command = [sys.executable, "-c", f"{DAEMON}\nprint('done', flush=True)", *arguments]
    running = HostProcesses([Host("one", command, folder, dict(os.environ))], lambda _host, line: lines.append(line))
    return in_time(lambda: running.wait(60)), lines


def test_a_job_ends_with_all_that_it_has_started(tmp_path: Path) -> None:
    outcome, lines = ended(tmp_path)
    assert outcome == Outcome(0)
    assert "done" in lines
    assert len(daemons(lines)) == 1
    assert not any(is_there(one) for one in daemons(lines))


def test_a_job_ends_though_somebody_unknown_holds_its_output(tmp_path: Path) -> None:
    outcome, lines = ended(tmp_path, "unmarked")
    assert (outcome, lines) == (Outcome(0), ["done"])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    code = tmp_path / "model" / "code"
    code.mkdir(parents=True)
    (code / "inference.py").write_text(MODEL)
    return tmp_path / "model"


def test_a_model_server_that_fails_takes_along_what_it_has_started(model: Path) -> None:
    lines: list[str] = []
    instance = Instance(InstanceSpec(sys.executable, model, dict(os.environ), lines.append))

    def failed() -> None:
        with pytest.raises(InstanceError, match="no weights here"):
            instance.wait_until_ready(lambda: True)
        instance.end()

    in_time(failed)
    assert len(daemons(lines)) == 1
    assert not any(is_there(one) for one in daemons(lines))


def test_a_line_that_cannot_be_kept_ends_no_listening() -> None:
    reading, writing = os.pipe()
    heard: list[str] = []

    def hear(line: str) -> None:
        heard.append(line)
        if line == "a":
            raise OSError("No space left on device")

    listener = OutputReader(os.fdopen(reading, "rb"), hear)
    with os.fdopen(writing, "wb") as output:
        output.write(b"a\nb\n")
    assert listener.finish()
    assert heard == ["a", "b"]


def test_a_daemon_that_stops_leaves_nothing_that_is_its_own(tmp_path: Path) -> None:
    local = LocalAws(Options(tmp_path, enforces_iam=False))
    local.start()
    marked = {**os.environ, **orphans.daemon_marker(tmp_path)}
    with subprocess.Popen(["/bin/sleep", "60"], env=marked, start_new_session=True) as strayed:
        local.stop()
        assert strayed.wait(PATIENCE_SECONDS) == -signal.SIGKILL
