"""`pedigree sample-data` as a user meets it: a real process, a real folder, and a file that is whole or not there."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support.processes import enable_interrupts

ROOT = Path(__file__).parents[3]
PEDIGREE = [sys.executable, "-c", "import sys; sys.argv[0] = 'pedigree'; from pedigree.cli.main import main; main()"]
SMALL = ("--classes", "2", "--per-class", "3", "--size", "32")


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [*PEDIGREE, "sample-data", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_it_makes_one_file_and_names_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    done = run("data", *SMALL, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "data/dogImages.zip\n", "")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["dogImages.zip"]
    with ZipFile(tmp_path / "data" / "dogImages.zip") as zipped:
        assert zipped.testzip() is None
        assert len(zipped.namelist()) == 6


def test_the_same_numbers_give_the_same_bytes_and_the_last_call_holds(tmp_path: Path) -> None:
    hashes = []
    for seed in ("7", "8", "7"):
        assert run(str(tmp_path), *SMALL, "--seed", seed, cwd=ROOT).returncode == 0
        hashes.append(sha256((tmp_path / "dogImages.zip").read_bytes()).hexdigest())
    assert hashes[0] == hashes[2] != hashes[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--classes", "1"], "--classes 1 cannot be; give a whole number from 2 to 40"),
        (["--classes", "41"], "--classes 41 cannot be"),
        (["--classes", "many"], "--classes many cannot be"),
        (["--per-class", "2"], "--per-class 2 cannot be; give a whole number from 3 to 10000"),
        (["--size", "31.5"], "--size 31.5 cannot be; give a whole number from 32 to 1024"),
        (["--seed", "-1"], "--seed -1 cannot be; give a whole number from 0 to 4294967295"),
        (["--seed", "9" * 5000], "cannot be; give a whole number from 0"),
    ],
)
def test_a_wrong_number_is_one_line_and_exit_code_2(arguments: list[str], message: str, tmp_path: Path) -> None:
    assert_one_line(run(str(tmp_path), *arguments, cwd=ROOT), message)
    assert not list(tmp_path.iterdir())


def assert_one_line(done: subprocess.CompletedProcess[str], message: str) -> None:
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert message in done.stderr


def test_a_wrong_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert_one_line(run("nowhere", cwd=tmp_path), "nowhere is not a folder; make it, or name another")
    assert_one_line(run("file", cwd=tmp_path), "file is not a folder")


def test_a_folder_of_the_files_name_stays(tmp_path: Path) -> None:
    (tmp_path / "dogImages.zip").mkdir()
    assert_one_line(run(".", cwd=tmp_path), "dogImages.zip is a folder; move it out of the way")


def test_a_full_disk_is_reported_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "dogImages.zip"
    path.write_text("old")
    limited = ["sh", "-c", 'ulimit -f 100; exec "$@"', "sh", *PEDIGREE, "sample-data", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(limited, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert_one_line(done, "dogImages.zip cannot be written: File too large; name another folder")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_terminal_sees_how_far_it_is_and_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    watched, given = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    command = [*PEDIGREE, "sample-data", str(tmp_path), "--per-class", "10000"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=given, preexec_fn=enable_interrupts
    ) as process:
        os.close(given)  # so that reading ends with the process
        with os.fdopen(watched, "rb", buffering=0) as screen:
            assert any(b"%" in content for content in iter(lambda: screen.read(1024), b""))
            assert [path.name[:14] for path in tmp_path.iterdir()] == [".dogImages.zip"]
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=300)
    assert process.returncode == 130
    assert not list(tmp_path.iterdir())


def test_drawing_libraries_are_imported_only_to_draw() -> None:
    code = (
        "import sys\nfrom pedigree.cli.main import main\nsys.argv = ['pedigree', 'sample-data', '--help']\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'numpy', 'PIL', 'sagemaker'} & set(sys.modules)\nassert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "--per-class" in done.stdout
