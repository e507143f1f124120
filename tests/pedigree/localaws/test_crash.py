"""A daemon that is killed at any moment loses nothing that it has acknowledged, and repeats nothing that had finished.

`python -m tests.crashing 100` does the same for a quarter of an hour.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pedigree.localaws.kernel import orphans
from tests.crashing import ledger
from tests.crashing.crash_run import CrashRun
from tests.crashing.ledger import LedgerEntry

KILLS, SEED = 5, 20
STEP = [LedgerEntry("Train", "begin", 1.0), LedgerEntry("Train", "end", 2.0)]


def test_everything_ends_as_it_would_have_however_often_it_is_killed(tmp_path: Path) -> None:
    run = CrashRun(tmp_path, SEED)
    try:
        report = run.run(KILLS)
    finally:
        run.close()
    assert report.problems == []
    assert report.kills >= KILLS
    assert report.figures["executions"] > 1


@pytest.mark.parametrize(
    ("again", "boundaries", "noted", "problems"),
    [
        ([], [], 3.0, 0),
        ([LedgerEntry("Train", "begin", 1.8)], [1.5], 3.0, 0),
        ([LedgerEntry("Train", "begin", 1.8)], [], 3.0, 1),
        ([LedgerEntry("Train", "begin", 3.5)], [3.2], 3.0, 1),
        ([LedgerEntry("Train", "begin", 3.5)], [], 3.0, 2),
    ],
)
def test_a_step_may_run_again_under_another_daemon_if_it_had_not_ended(
    again: list[LedgerEntry], boundaries: list[float], noted: float, problems: int
) -> None:
    written = [*STEP, *again]
    assert len([*ledger.begun_twice(written, boundaries), *ledger.begun_after_the_end(written, noted)]) == problems


def test_only_the_leftover_processes_of_a_daemon_are_ended(tmp_path: Path) -> None:
    script = "env -i sleep 1000 & echo $! > child; echo ready; wait"
    marked = {**os.environ, **orphans.daemon_marker(tmp_path)}
    others = {**os.environ, **orphans.daemon_marker(tmp_path / "other")}
    with _shell(script, tmp_path, marked) as left, _shell("echo ready; sleep 1000", tmp_path, others) as other:
        child = int((tmp_path / "child").read_text())
        assert orphans.kill_orphans(tmp_path) == 2
        assert left.wait(60) < 0
        assert not _runs(child)
        assert other.poll() is None
        other.kill()


def _shell(script: str, folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """A line of shell in a session of its own, which has said that it is ready."""
    command = ["/bin/sh", "-c", script]
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
