"""Starts local AWSs for tests, in this process or in one of their own, and makes boto3 clients of them."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from pedigree.localaws import process
from pedigree.localaws.daemon import ACCOUNT, LocalAws, Options
from pedigree.localaws.kernel.access_key import AccessKey, write_key
from tests.support.images import images_file
from tests.support.ordinary_user import ProgramUser
from tests.support.waiting import until

REGION = "us-east-1"
KEY = AccessKey("AKIALOCALTESTS", "the secret of tests")
_DAEMON = """
import sys
from pathlib import Path
from pedigree.localaws import process
from pedigree.localaws.daemon import LocalAws, Options
outside = Path(sys.argv[1], "outside")
outside.mkdir(exist_ok=True)
images = Path(sys.argv[1], "images.toml")
local = LocalAws(Options(Path(sys.argv[1]), enforces_iam=False, mounts=(outside,), images=images))
local.start()
print(local.url, flush=True)
sys.stdin.read()
local.stop()
"""


def client(url: str, service: str, key: AccessKey = KEY, *, region: str = REGION, **more: Any) -> Any:
    """A client that makes each call once, without retries."""
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=url,
        aws_access_key_id=key.id,
        aws_secret_access_key=key.secret,
        **{"config": Config(retries={"total_max_attempts": 1}), **more},
    )


def with_key(folder: Path) -> Path:
    """A folder for a local AWS that has the key of `client`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_key(folder, KEY)
    return folder


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


@contextlib.contextmanager
def running_local_aws(folder: Path, **options: Any) -> Iterator[LocalAws]:
    """A local AWS in this process that, unless options say otherwise, allows every call.

    What its jobs write to the folder outside, the test can read.
    """
    outside = with_key(folder) / "outside"
    outside.mkdir(exist_ok=True)
    usual = {"enforces_iam": False, "mounts": (outside,), "images": images_file(folder, options.get("container"))}
    local = LocalAws(Options(folder, **{**usual, **options}))
    local.start()
    try:
        yield local
    finally:
        local.stop()


@contextlib.contextmanager
def real_daemon(folder: Path) -> Iterator[process.Daemon]:
    """The daemon itself in a process of its own; it stops as any daemon does, at a signal."""
    with _real_daemon((sys.executable,), with_key(folder)) as running:
        yield running


@contextlib.contextmanager
def daemon_of(user: ProgramUser, folder: Path, *options: str) -> Iterator[process.Daemon]:
    """The daemon itself as a user runs it, whose key it makes."""
    folder.mkdir(mode=0o700)
    user.own(folder)
    python = (*user.becoming, user.python)
    with _real_daemon(python, folder, *options, cwd=folder, env=user.environment) as running:
        yield running


@contextlib.contextmanager
def _real_daemon(python: Sequence[str], folder: Path, *options: str, **how: Any) -> Iterator[process.Daemon]:
    own = Path(python[-1]).parent.parent
    environment = Path(options[options.index("--container") + 1]) if "--container" in options else own
    images = images_file(folder, environment)
    images.chmod(0o644)
    more = ("--images", str(images), *options)
    command = [*python, "-m", "pedigree.localaws", "--folder", str(folder), "--no-iam", *more]
    with (folder / "daemon.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log, **how) as started:
        try:
            until(lambda: process.find(folder) is not None or started.poll() is not None)
            found = process.find(folder)
            assert found is not None, (folder / "daemon.log").read_text()
            yield found
        finally:
            started.terminate()


@contextlib.contextmanager
def daemon_process(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A local AWS in a process of its own, and its address; it stops when its standard input is closed."""
    images_file(with_key(folder))
    command = [sys.executable, "-c", _DAEMON, str(folder)]
    started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    try:
        yield started, started.stdout.readline().strip()
    finally:
        started.kill()
        started.wait()
        started.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            started.stdin.close()  # type: ignore[union-attr]
