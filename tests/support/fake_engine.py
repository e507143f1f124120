"""A container engine that keeps docker's command line: what it "runs" are processes of this machine.

    docker version | image inspect IMAGE | pull IMAGE | run … IMAGE COMMAND… | ps … | rm --force NAME… | network …

A container lives on without the program that has started it, as it does with docker: only `rm` ends it, or its own end.
Paths of mounts become those of this machine in its words and variables. Every call is a line in calls.jsonl.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

STATE = Path(os.environ["FAKE_ENGINE"])
"""The folder of this engine: images/NAME holds the entrypoint of an image, containers/NAME a process."""
_REPEATED = ("--mount", "--env", "--add-host", "--label", "--security-opt")


def main(words: Sequence[str]) -> int:
    """Do what the words say, and return the exit code that docker would."""
    with (STATE / "calls.jsonl").open("a", encoding="utf-8") as calls:
        calls.write(json.dumps(list(words)) + "\n")
    command, *rest = words
    if command == "run":
        return _run(rest)
    if command == "rm":
        return max((_remove(name) for name in rest if not name.startswith("-")), default=0)
    if command == "ps":
        label = rest[rest.index("--filter") + 1].removeprefix("label=")
        found = (path for path in _folder("containers").iterdir() if label in path.read_text(encoding="utf-8"))
        sys.stdout.writelines(f"{path.name}\n" for path in found)
    if command == "image" or command == "pull":
        return _image(command, rest[-1])
    return 0


def _image(command: str, image: str) -> int:
    if (_folder("images") / image).exists():
        return 0
    if command == "pull" and image.startswith("pullable"):
        (_folder("images") / image).write_text("[]", encoding="utf-8")
        return 0
    sys.stderr.write(f"Error response: no such image: {image}\n")
    return 1


def _run(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    for name in ("--name", "--hostname", "--network", "--network-alias", "--shm-size", "--entrypoint", "--user"):
        parser.add_argument(name, default="")
    for name in _REPEATED:
        parser.add_argument(name, action="append", default=[])
    parser.add_argument("--rm", action="store_true")
    parser.add_argument("image")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args(words)
    if _image("run", given.image):
        return 125
    own = json.loads((_folder("images") / given.image).read_text(encoding="utf-8"))
    mounts = dict(_mount(mount) for mount in given.mount)
    command = [_mapped(word, mounts) for word in ([given.entrypoint] if given.entrypoint else own) + given.command]
    started = subprocess.Popen(command, env=_variables(given.env, mounts), start_new_session=True)
    record = _folder("containers") / (given.name or "unnamed")
    record.write_text(f"{started.pid}\n{' '.join(given.label)}", encoding="utf-8")
    signal.signal(signal.SIGTERM, lambda *_: started.terminate())  # as docker passes signals on
    code = started.wait()
    record.unlink(missing_ok=True)
    return code if code >= 0 else 128 - code


def _mount(text: str) -> tuple[str, str]:
    members = dict(word.partition("=")[::2] for word in text.split(","))
    return members["target"], members["source"]


def _variables(given: Sequence[str], mounts: Mapping[str, str]) -> dict[str, str]:
    """Only what is given, and a PATH: a variable without a value has that of the engine's own environment."""
    pairs = (word.partition("=") for word in given)
    found = {name: value if sign else os.environ.get(name, "") for name, sign, value in pairs}
    return {"PATH": os.environ["PATH"], **{name: _mapped(value, mounts) for name, value in found.items()}}


def _mapped(text: str, mounts: Mapping[str, str]) -> str:
    for target, source in mounts.items():
        text = text.replace(target, source)
    return text


def _remove(name: str) -> int:
    record = _folder("containers") / name
    if not record.exists():
        return 1
    process = int(record.read_text(encoding="utf-8").split("\n")[0])
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    record.unlink(missing_ok=True)
    return 0


def _folder(name: str) -> Path:
    folder = STATE / name
    folder.mkdir(exist_ok=True)
    return folder


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
