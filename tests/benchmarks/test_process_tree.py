"""The processor time of a benchmark is that of all processes it has led to, each second once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.process_tree import sampling
from tests.support.containers import HAS_CONTAINERS, PYTHON, ContainerRunner
from tests.support.waiting import until

# Takes processor time and then says how much, the start of Python included.
BURN = "import sys, time\nwhile time.process_time() < float(sys.argv[1]): pass\nopen(sys.argv[2], 'w').write('over')\n"
ORPHAN = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', *sys.argv[1:]])"
UNWAITED = "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n" + ORPHAN + ".wait()"
BESIDE = '("$0" "$@" &); while ! [ -e /tmp/over ]; do sleep 0.05; done'
SECONDS = 0.5
EXIT_SECONDS = 0.2  # of processor time, for the starts and ends of the processes around


def burning(folder: Path, seconds: float = SECONDS, name: str = "over") -> list[str]:
    return [BURN, str(seconds), str(folder / name)]


def run(*arguments: str) -> None:
    subprocess.run([sys.executable, "-I", "-c", *arguments], check=True)


def test_the_time_of_processes_between_two_samples_counts(tmp_path: Path) -> None:
    with sampling() as times:
        for number in range(4):
            run(*burning(tmp_path, SECONDS / 4, str(number)))
    assert SECONDS <= times.seconds[-1] < SECONDS + EXIT_SECONDS


def test_the_time_of_a_process_whose_parent_ended_counts_once(tmp_path: Path) -> None:
    with sampling() as times:
        run(ORPHAN, *burning(tmp_path))
        until((tmp_path / "over").exists)
    assert SECONDS <= times.seconds[-1] < SECONDS + EXIT_SECONDS


def test_the_time_of_a_process_that_its_parent_never_counts_is_what_was_seen_of_it(tmp_path: Path) -> None:
    with sampling() as times:
        run(UNWAITED, *burning(tmp_path, 2 * SECONDS))
    assert SECONDS <= times.seconds[-1] < 2 * SECONDS + EXIT_SECONDS


@pytest.mark.skipif(not HAS_CONTAINERS, reason="this kernel makes no containers")
def test_the_time_of_a_process_that_process_1_of_a_container_waits_for_counts_once(tmp_path: Path) -> None:
    containers = ContainerRunner(tmp_path)
    command = [PYTHON, "-I", "-c", *burning(Path("/tmp"))]  # the container's own
    with sampling() as times:
        status, output = containers.run(containers.container(), "/bin/sh", "-c", BESIDE, *command)
    assert (status, output) == (0, "")
    assert SECONDS <= times.seconds[-1] < SECONDS + EXIT_SECONDS


def test_what_ran_before_does_not_count(tmp_path: Path) -> None:
    run(*burning(tmp_path))
    with sampling() as times:
        pass
    assert times.between(times.moments[0] - 1, times.moments[-1] + 1) == 0


def test_a_part_of_the_time_has_its_share(tmp_path: Path) -> None:
    with sampling() as times:
        run(*burning(tmp_path))
    middle = (times.moments[0] + times.moments[-1]) / 2
    parts = times.between(times.moments[0], middle), times.between(middle, times.moments[-1])
    assert sum(parts) == pytest.approx(times.seconds[-1])
    assert min(parts) > 0
