"""Uploads an object to S3: in parts if it is large, with its progress; one that breaks off leaves nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pedigree.account.account import Account
from pedigree.account.plan import Upload

_LARGE = 20_000_000
_STEP_PERCENT = 5


def upload(act: Upload, account: Account, waiting: Callable[[str, float], None]) -> None:
    """Uploads all of it, and reports every few percent of a large one."""
    stream = act.open()
    try:
        account.call(
            "s3",
            "upload_fileobj",
            Fileobj=stream,
            Bucket=act.bucket,
            Key=act.key,
            ExtraArgs={"ExpectedBucketOwner": account.id, **act.arguments},
            **({"Callback": _progress(act, account, waiting)} if act.size >= _LARGE else {}),
        )
    finally:
        stream.close()


def _progress(act: Upload, account: Account, waiting: Callable[[str, float], None]) -> Callable[[int], Any]:
    """A function that is called with the bytes of each piece, by one thread after another."""
    since, done, reported = account.clock.monotonic(), 0, -1

    def report(count: int) -> None:
        nonlocal done, reported
        done += count
        step = 100 * done // act.size // _STEP_PERCENT
        if step > reported:
            reported = step
            what = f"{act.key} to be uploaded, {step * _STEP_PERCENT}% of {act.size / 1e6:.0f} MB"
            waiting(what, account.clock.monotonic() - since)

    return report
