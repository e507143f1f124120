"""A folder that stands for a rented machine: the script that trains there really runs, with commands of its own.

aws, shutdown and python are commands of this module: the first copies files in a folder that stands for S3, the second
writes down how it was called, and so does the third when it is to install something.
"""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from pipeline.account.ec2.user_data import SCRIPT

ENTRYPOINTS = Path(__file__).parents[2] / "entrypoints"
AWS = """#!/bin/sh
# aws s3 cp [flags] FROM TO
echo "aws $*" >> "$CALLS"
case "$*" in *"$BROKEN"*) [ -n "$BROKEN" ] && { echo "fatal error: Forbidden" >&2; exit 1; } ;; esac
while [ $# -gt 2 ]; do [ "$1" = --recursive ] && recursive=-R; shift; done
from=$(echo "$1" | sed "s#^s3://#$S3/#"); to=$(echo "$2" | sed "s#^s3://#$S3/#")
case "$to" in */*) mkdir -p "$(dirname "$to")" ;; esac
if [ -n "$recursive" ]; then cp -R "$from." "$to"; else cp "$from" "$to.part" && mv "$to.part" "$to"; fi
"""
SHUTDOWN = '#!/bin/sh\necho "shutdown $*" >> "$CALLS"\n'
PYTHON = """#!/bin/sh
[ "$2" = pip ] && { echo "$@" >> "$CALLS"; exit; }
PYTHONPATH="$PACKAGES:$PYTHONPATH" exec "$REAL" "$@"
"""
SUCCEEDS = """
import os, pathlib, sys
print("trained with", *sys.argv[1:])
assert sorted(os.listdir("data")) == ["train", "validation"], os.listdir("data")
pathlib.Path("model").mkdir()
pathlib.Path("model/model.pth").write_text("weights " + "".join(os.listdir("checkpoints")))
"""
FAILS = "import sys\nprint('it begins', flush=True)\nsys.exit('no memory')"
GOES_ON = """
import pathlib, signal, sys, time
def stop(*_):
    pathlib.Path("checkpoints/epoch-3").write_text("half of it")
    pathlib.Path("model").mkdir(exist_ok=True)
    pathlib.Path("model/model.pth").write_text("the best so far")
    sys.exit(143)
signal.signal(signal.SIGTERM, stop)
print("it goes on", flush=True)
time.sleep(60)
"""
PREPARES = """
import pathlib, sys
print("prepared with", *sys.argv[1:])
for name in ("train", "validation"):
    pathlib.Path("data", name).mkdir()
"""
TORCH = """
__version__ = "2.13"
class cuda:
    is_available = staticmethod(lambda: False)
    device_count = staticmethod(lambda: {})
"""


class Machine:
    """A folder in which the script runs, with its own S3 and its own commands."""

    def __init__(self, folder: Path, train: str = SUCCEEDS, devices: int = 0) -> None:
        self.folder, self.calls, self.s3 = folder, folder / "calls", folder / "s3"
        self.results = self.s3 / "mine/ec2/run1"
        (folder / "bin").mkdir()
        for name, text in (("aws", AWS), ("shutdown", SHUTDOWN), ("python", PYTHON)):
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)
        self._fake_torch(devices)
        for split in ("train", "validation"):
            (self.s3 / "mine/data" / split).mkdir(parents=True)
            (self.s3 / "mine/data" / split / "a.jpg").write_text("a")
        code = {path.name: path.read_text() for path in ENTRYPOINTS.glob("*.py")}
        code |= {"train.py": train, "prepare.py": PREPARES}
        self.sha256 = self._put_code(code)

    def _fake_torch(self, devices: int) -> None:
        for name in ("torch", "torchvision"):
            package = self.folder / "packages" / name
            (package / "distributed").mkdir(parents=True)
            (package / "__init__.py").write_text(TORCH.format(devices))
            (package / "distributed/__init__.py").touch()
            (package / "distributed/run.py").write_text("import sys; print('launched', *sys.argv[1:])")

    def _put_code(self, files: Mapping[str, str]) -> str:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for name, text in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(text.encode())
                tar.addfile(member, io.BytesIO(text.encode()))
        (self.s3 / "mine/code").mkdir()
        (self.s3 / "mine/code/source.tar.gz").write_bytes(gzip.compress(buffer.getvalue()))
        return sha256(buffer.getvalue()).hexdigest()

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin",  # the machine's own shutdown is not on it
            "PACKAGES": str(self.folder / "packages"),
            "REAL": sys.executable,
            "CALLS": str(self.calls),
            "S3": str(self.s3),
            "BROKEN": "",
            "CODE_URI": "s3://mine/code/source.tar.gz",
            "CODE_SHA256": self.sha256,
            "DATA_URI": "s3://mine/data",
            "SOURCE": "",
            "WEIGHTS_URI": "",
            "RESUME_URI": "",
            "RESULTS_URI": "s3://mine/ec2/run1",
            "UPLOAD_FLAGS": "",
            "PREPARE_FLAGS": "--image-size\n64",
            "TRAIN_FLAGS": "--epochs\n3\n--weights\nan odd one",
            "LIMIT_SECONDS": "60",
            "SHUTDOWN_MINUTES": "16",
            "PYTHON": str(self.folder / "bin/python"),
            "FOLDER": str(self.folder / "work"),
            "LOG_SECONDS": "0.2",
            **more,
        }

    def run(self, **more: str) -> str:
        """What became of it."""
        done = subprocess.run(
            ["/bin/bash", str(SCRIPT)],
            cwd=self.folder,
            env=self.environment(**more),
            capture_output=True,
            timeout=300,
            check=False,
        )
        assert done.stderr == b""
        return self.outcome()

    def outcome(self) -> str:
        return (self.results / "outcome.txt").read_text().strip()

    @property
    def log(self) -> str:
        return (self.results / "train.log").read_text()

    def assert_ended(self) -> None:
        """The end was announced before anything else, and made at the very last."""
        calls = self.calls.read_text().splitlines()
        assert calls[0] == "shutdown -h +16"
        assert calls[-1] == "shutdown -h now"
        assert "outcome.txt" in calls[-2]
