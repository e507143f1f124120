"""An object in S3, and all objects below a prefix, for download.py.

Only here boto3 is needed, and it is imported when it is: a data set from the web or from a disk does without.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from download import Answer, Changed, Interrupted, Patience, check_size, download
from errors import DataError
from safe_names import inside
from progress import Progress

_AT_ONCE = 16
_COME_ANEW = ("PreconditionFailed", "InvalidRange", "412", "416")
_COME_BACK = ("SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling", "RequestLimitExceeded")
_REMEDY = "check the address, the role's s3:GetObject and s3:ListBucket, and its key if it is encrypted"


class S3Remote:
    """An object in S3."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client, self._bucket, self._key = client, bucket, key
        self.name = f"s3://{bucket}/{key}"

    @contextmanager
    def open(self, offset: int, version: str) -> Iterator[Answer]:
        """The bytes from an offset on, of the same object."""
        conditions = {"Range": f"bytes={offset}-", "IfMatch": version} if offset else {}
        with _answers(self.name):
            response = self._client.get_object(Bucket=self._bucket, Key=self._key, **conditions)
            with response["Body"] as body:
                start = offset if response["ResponseMetadata"]["HTTPStatusCode"] == 206 else 0
                yield Answer(body.read, start, start + response["ContentLength"], response["ETag"])


def s3_client(patience: Patience) -> Any:
    """A client that gives up in time; AWS's own variables say where and as whom."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        config=Config(
            connect_timeout=patience.timeout_seconds,
            read_timeout=patience.timeout_seconds,
            max_pool_connections=_AT_ONCE,
            retries={"mode": "standard", "total_max_attempts": patience.tries},
        ),
    )


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def fetch_prefix(uri: str, folder: Path, most_bytes: int, patience: Patience, client: Any) -> None:
    """Every object below a prefix into a folder, many at once."""
    bucket, prefix = split_uri(uri)
    sizes = _listed(client, bucket, prefix)
    if not sizes:
        raise DataError(f"{uri} holds nothing; check the address: a folder ends with /, an archive with .zip")
    check_size(uri, sum(sizes.values()), most_bytes, folder)
    progress = Progress(f"fetching {uri}", "objects")
    silent = Progress(uri, "bytes", every=float("inf"))

    def fetch(key: str) -> None:
        path = folder / inside(key.removeprefix(prefix))
        path.parent.mkdir(parents=True, exist_ok=True)
        if key.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            download(S3Remote(client, bucket, key), path, most_bytes, patience, silent)

    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        for done, _ in enumerate(pool.map(fetch, sizes), 1):
            progress.at(done, len(sizes))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _listed(client: Any, bucket: str, prefix: str) -> dict[str, int]:
    sizes: dict[str, int] = {}
    try:
        with _answers(f"s3://{bucket}/{prefix}"):
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                sizes |= {one["Key"]: one["Size"] for one in page.get("Contents", ()) if one["Key"] != prefix}
    except Interrupted as interruption:
        raise DataError(f"s3://{bucket}/{prefix}: {interruption}; try again later") from None
    return sizes


@contextmanager
def _answers(name: str) -> Iterator[None]:
    """What botocore raises, as what download.py knows."""
    from botocore import exceptions
    from urllib3.exceptions import HTTPError

    try:
        yield
    except exceptions.ClientError as error:
        raise _refusal(name, error.response) from None
    except (exceptions.HTTPClientError, exceptions.IncompleteReadError, HTTPError, OSError) as error:
        raise Interrupted(f"the connection failed ({error})") from None
    except exceptions.BotoCoreError as error:
        raise DataError(f"{name}: {error}; {_REMEDY}") from None


def _refusal(name: str, response: Any) -> Exception:
    code, status = response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]
    told = f"answered {code} {response['Error'].get('Message', '')}".strip()
    if code in _COME_ANEW:
        return Changed(told)
    if code in _COME_BACK or status >= 500:
        return Interrupted(told)
    return DataError(f"{name} {told}; {_REMEDY}")
