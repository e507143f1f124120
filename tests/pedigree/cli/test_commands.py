"""The commands as a user meets them: real processes, real files, no AWS variable, no network."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import IO

import pytest

from tests.support.cli import INSTALLED, ROOT, environment
from tests.support.processes import enable_interrupts
from tests.support.waiting import until

# Where namespaces may not be made, a Python without connect() stands in for a machine without network.
WITHOUT_CONNECT = "import socket; socket.socket.connect = None; from pedigree.cli.main import main; main()"


@cache
def cut_off() -> list[str]:
    """The beginning of a command that runs pedigree with no network at all."""
    unshare = ["unshare", "--net"]
    try:
        possible = subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        possible = False
    return (
        [*unshare, sys.executable, "-c", "from pedigree.cli.main import main; main()"]
        if possible
        else [sys.executable, "-c", WITHOUT_CONNECT]
    )


def run(*arguments: str, cwd: Path = ROOT, **more: str) -> subprocess.CompletedProcess[str]:
    command = [str(INSTALLED), *arguments]
    return subprocess.run(command, cwd=cwd, env=environment(**more), capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project in another folder."""
    copy = tmp_path_factory.mktemp("elsewhere") / "another name"
    left_out = shutil.ignore_patterns(".*", "__pycache__", "tests", "docs")
    shutil.copytree(ROOT, copy, ignore=left_out)
    return copy


def test_the_definition_is_the_same_bytes_everywhere(clone: Path) -> None:
    """Two folders, two hash seeds, no network, no AWS variable; and once with broken ones."""
    texts = []
    for folder, more in (
        (ROOT, {"PYTHONHASHSEED": "1", "PEDIGREE_SETTINGS": ""}),
        (clone, {"PYTHONHASHSEED": "2", "PEDIGREE_SETTINGS": "", "TZ": "Asia/Tokyo", "HOME": str(clone)}),
        (
            clone,
            {
                "PEDIGREE_SETTINGS": "",
                "AWS_PROFILE": "nobody",
                "AWS_REGION": "mars-north-1",
                "AWS_CONFIG_FILE": "/nowhere",
            },
        ),
    ):
        done = subprocess.run(
            [*cut_off(), "definition"],
            cwd=folder,
            env=environment(PYTHONPATH=str(folder), **more),
            capture_output=True,
            check=True,
        )
        assert done.stderr == b""
        texts.append(done.stdout)
    assert texts[0] == texts[1] == texts[2]
    assert json.loads(texts[0])["Version"] == "2020-12-01"


def test_account_region_and_output(tmp_path: Path) -> None:
    path = tmp_path / "definition.json"
    done = run("definition", "--account", "123456789012", "--region", "eu-central-1", "--output", str(path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = path.read_text(encoding="utf-8")
    assert "arn:aws:lambda:eu-central-1:123456789012:function" in text
    assert [path.name for path in tmp_path.iterdir()] == ["definition.json"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["definition", "--account", "12"], '--account: site.account = "12" has the wrong form'),
        (["definition", "--region", "mars"], '--region: site.region = "mars" is no region of AWS'),
        (["definition", "--settings", "nowhere.toml"], "nowhere.toml: no such file"),
        (["definition", "--output", "/nowhere/x.json"], "/nowhere is not a folder; make it"),
        (["definition", "--output", "docs"], "docs is a folder; name a file in it"),
        (["definition", "--output", "/dev/full"], "/dev/full cannot be written: No space left on device; choose"),
        (["definition", "--account", ""], "--account is empty; write a value, or leave it out"),
        (["graph", "--name", "a/b"], "--name is not the name of a file; write it like pipeline"),
        (["graph", "any.json", "--settings", "mine.toml"], "--settings would not be read; leave one of them out"),
        (["graph", "--output", "/nowhere"], "/nowhere is not a folder"),
        (["graph", "README.md"], "not JSON"),
        (["graph", "nowhere.json"], "nowhere.json cannot be read"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


def test_the_version() -> None:
    assert run("--version").stdout.split() == [version("pedigree")]


def test_control_characters_of_a_name_do_not_reach_the_terminal() -> None:
    done = run("definition", "--settings", "no\x1b[31m\nwhere.toml")
    assert done.stderr.startswith(r"pedigree: no\x1b[31m\nwhere.toml: no such file")
    assert done.stderr.count("\n") == 1


def test_a_full_disk_is_reported_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "definition.json"
    path.write_text("old")
    limited = ["sh", "-c", f'ulimit -f 1; exec "{INSTALLED}" definition --output "{path}"']
    done = subprocess.run(limited, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "cannot be written: File too large" in done.stderr
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_standard_output_that_is_full_is_reported() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [INSTALLED, "definition"],
            cwd=ROOT,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "standard output cannot be written: No space left on device" in done.stderr


def test_standard_output_that_is_closed_is_reported() -> None:
    closed = ["sh", "-c", f'exec "{INSTALLED}" definition >&-']
    done = subprocess.run(closed, cwd=ROOT, env=environment(), stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "pedigree: standard output is closed; choose a file with --output\n")


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.mmd").symlink_to("real.mmd")
    definition = ROOT / "tests" / "golden" / "definition.json"
    run("graph", str(definition), "--output", str(tmp_path), "--name", "link")
    assert (tmp_path / "link.mmd").is_symlink()
    assert (tmp_path / "real.mmd").read_text(encoding="utf-8").startswith("flowchart")


def test_no_settings_here_says_what_to_do(tmp_path: Path) -> None:
    done = run("definition", cwd=tmp_path, PEDIGREE_SETTINGS="")
    assert done.returncode == 2
    assert "settings.toml: no such file; name another with --settings or PEDIGREE_SETTINGS" in done.stderr


def test_help_does_not_wait_for_the_sdk() -> None:
    code = (
        "import sys\nfrom pedigree.cli.main import main\nsys.argv = ['pedigree', '--help']\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'sagemaker', 'botocore', 'pydantic', 'numpy'} & set(sys.modules)\nassert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "definition" in done.stdout


@pytest.mark.parametrize("variable", ["PEDIGREE__SITE__ACCOUNT", "PEDIGREE__IMAGES__TRAINING__VERSION"])
def test_a_wrong_setting_is_reported_before_the_sdk_is_imported(variable: str) -> None:
    code = (
        "import sys\nfrom pedigree.cli.main import main\nsys.argv = ['pedigree', 'definition']\n"
        "try: main()\nexcept SystemExit as stop: print(stop.code, 'sagemaker' in sys.modules)"
    )
    wrong = environment(**{variable: "1.99"})
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=wrong, capture_output=True, text=True, check=True)
    assert done.stdout == "2 False\n"


def test_pictures_of_any_definition(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "golden" / "definition.json", tmp_path / "any.json")
    done = run("graph", "any.json", "--name", "mine", cwd=tmp_path)
    assert done.stdout.split() == ["mine.mmd", "mine.svg"]
    assert (tmp_path / "mine.svg").read_text(encoding="utf-8").startswith("<svg")


def _unread_bytes(pipe: IO[bytes]) -> int:
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]  # type: ignore[no-any-return]


def test_interrupting_leaves_nothing_behind(tmp_path: Path) -> None:
    """The definition comes through a pipe that never ends, so that the command is in the middle of its work."""
    endless, output = tmp_path / "endless.json", tmp_path / "output"
    os.mkfifo(endless)
    output.mkdir()
    command = [str(INSTALLED), "graph", str(endless), "--output", str(output)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(), stderr=subprocess.PIPE, preexec_fn=enable_interrupts
    )
    with process, endless.open("wb", buffering=0) as pipe:
        pipe.write(b"{")
        until(lambda: _unread_bytes(pipe) == 0)  # it waits for more; while it imports, Python may lose an interrupt
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert err == b""
    assert not list(output.iterdir())


def test_a_reader_that_stops_early_is_no_error() -> None:
    with subprocess.Popen(
        [str(INSTALLED), "definition"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


def make(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *words], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (
            ["pipeline-start", "PARAMS=Epochs=10 InputDataUrl=https://host/*.zip?a=1&b=2", "ARGS=--wait --minutes 5"],
            ["start", "Epochs=10", "InputDataUrl=https://host/*.zip?a=1&b=2", "--wait", "--minutes", "5"],
        ),
        (["predict", "IMAGE=my dog.jpg"], ["predict", "--image", "my dog.jpg"]),
        (["predict", "URL=https://host/a.jpg?x=1&y='2'"], ["predict", "--url", "https://host/a.jpg?x=1&y='2'"]),
        (["approve", "VERSION=12"], ["approve", "12"]),
        (["approve"], ["approve"]),
        (["ec2-train", "ARGS=--dry-run"], ["ec2-train", "--dry-run"]),
    ],
)
def test_what_a_verb_is_given_reaches_its_command_as_it_is(tmp_path: Path, words: list[str], given: list[str]) -> None:
    stand_in(tmp_path, 'printf "%s\\n" "$@"')
    assert make(*words, f"VENV={tmp_path}").stdout.splitlines() == given


def test_a_verb_goes_to_the_local_aws_on_request(tmp_path: Path) -> None:
    stand_in(tmp_path, """case "$*" in "local up") echo "export PLACE='right here'";; *) echo "$PLACE: $*";; esac""")
    assert (
        make("approve", "VERSION=2", f"VENV={tmp_path}", f"CONTAINER={tmp_path}/container", "LOCAL=1").stdout
        == "right here: approve 2\n"
    )
    assert make("approve", "VERSION=2", f"VENV={tmp_path}").stdout == ": approve 2\n"


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        ("LOCALS=1", "LOCALS is no variable of this Makefile; write LOCAL."),
        ("local=1", "local is no variable of this Makefile; write LOCAL."),
        ("DAT=pictures", "DAT is no variable of this Makefile; write DATA."),
        ("PARAM=Epochs=3", "PARAM is no variable of this Makefile; write PARAMS."),
        ("ARG=--wait", "ARG is no variable of this Makefile; write ARGS."),
        ("IMAGES=dog.jpg", "IMAGES is no variable of this Makefile; write IMAGE."),
        ("LOCAL=0", "LOCAL=0 is unclear; write LOCAL=1 for the local AWS, or leave it out for an account."),
    ],
)
def test_a_variable_that_is_written_wrong_is_refused(tmp_path: Path, words: str, refusal: str) -> None:
    stand_in(tmp_path, "echo ran")
    done = make("pipeline-start", words, f"VENV={tmp_path}")
    assert (done.returncode, done.stdout) == (2, "")
    assert refusal in done.stderr


def test_every_verb_for_an_account_can_be_sent_to_the_local_aws() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    verbs = re.findall(r"^([a-z0-9-]+): \$\(NEEDED\)[^\n]*\n\t@(\$\(AT\))?", makefile, re.MULTILINE)
    assert {"ec2-train", "pipeline-upsert"} <= {target for target, _ in verbs}
    assert [target for target, at in verbs if not at] == []


def stand_in(folder: Path, does: str) -> None:
    """A program in the place of pedigree, in an environment that is ready."""
    (folder / "bin").mkdir()
    (folder / "bin" / "pedigree").write_text(f"#!/bin/sh\n{does}\n")
    (folder / "bin" / "pedigree").chmod(0o755)
    (folder / ".ready").touch()
    (folder / "container").mkdir()
    (folder / "container" / ".ready").touch()


def test_every_verb_has_a_line_of_help() -> None:
    phony = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY:"))
    helped = re.findall(r"^  make (\S+) +\S", make("help").stdout, re.MULTILINE)
    assert sorted(helped) == sorted(phony.removeprefix(".PHONY:").split())


def test_a_wrong_definition_is_drawn_without_what_is_wrong(tmp_path: Path) -> None:
    """Two steps wait for each other, one names no type, a condition and a reference cannot be read."""
    gate = {"Name": "Gate", "Type": "Condition", "DependsOn": ["Train"], "Arguments": {"Conditions": [{"Type": "Is"}]}}
    train = {"Name": "Train", "Type": "Training", "Arguments": {"X": {"Get": "Steps.Gate.Y"}, "Z": {"Get": ".."}}}
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps({"Steps": [gate, train, {"Name": "Nothing"}, "text"], "Parameters": "none"}))
    assert run("graph", str(path), "--output", str(tmp_path)).returncode == 0
    drawn = (tmp_path / "pipeline.mmd").read_text()
    assert "Gate" in drawn
    assert "Train" in drawn
    assert "Nothing" not in drawn
