"""Starts local AWSs for tests, in this process or in one of their own, and makes boto3 clients of them."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from pedigree.localaws import process
from pedigree.localaws.daemon import ACCOUNT, LocalAws, Options
from pedigree.localaws.kernel.access_key import AccessKey, write_key
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
local = LocalAws(Options(Path(sys.argv[1]), enforces_iam=False, mounts=(outside,)))
local.start()
print(local.url, flush=True)
sys.stdin.read()
local.stop()
"""


def client(url: str, service: str, key: AccessKey = KEY, **more: Any) -> Any:
    """A client that makes each call once, without retries."""
    return boto3.client(
        service,
        region_name=REGION,
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
    local = LocalAws(Options(folder, **{"enforces_iam": False, "mounts": (outside,), **options}))
    local.start()
    try:
        yield local
    finally:
        local.stop()


@contextlib.contextmanager
def real_daemon(folder: Path) -> Iterator[process.Daemon]:
    """The daemon itself in a process of its own; it stops as any daemon does, at a signal."""
    command = [sys.executable, "-m", "pedigree.localaws", "--folder", str(with_key(folder)), "--no-iam"]
    with (folder / "daemon.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as started:
        try:
            until(lambda: process.find(folder) is not None)
            found = process.find(folder)
            assert found is not None
            yield found
        finally:
            started.terminate()


@contextlib.contextmanager
def daemon_process(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A local AWS in a process of its own, and its address; it stops when its standard input is closed."""
    command = [sys.executable, "-c", _DAEMON, str(with_key(folder))]
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
