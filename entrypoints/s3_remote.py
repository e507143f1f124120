"""An object in S3, and all objects below a prefix, as download.py needs them.

Only this module needs boto3, and imports it when it is used: a data set from the web or from a disk works without.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from download import DownloadInterrupted, DownloadRetries, RemoteChanged, RemoteStream, check_size, download
from errors import DataError
from progress import ProgressLog
from safe_names import safe_path

_CONCURRENCY = 16
_CHANGED_CODES = ("PreconditionFailed", "InvalidRange", "412", "416")
_RETRYABLE_CODES = (
    "SlowDown",
    "RequestTimeout",
    "InternalError",
    "ServiceUnavailable",
    "Throttling",
    "RequestLimitExceeded",
)
_REMEDY = "check the address, the role's s3:GetObject and s3:ListBucket, and its key if it is encrypted"


class S3Remote:
    """An object in S3."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client, self._bucket, self._key = client, bucket, key
        self.name = f"s3://{bucket}/{key}"

    @contextmanager
    def open(self, offset: int, version: str) -> Iterator[RemoteStream]:
        """Opens the bytes of the same version from an offset."""
        conditions = {"Range": f"bytes={offset}-", "IfMatch": version} if offset else {}
        with _translate_errors(self.name):
            response = self._client.get_object(Bucket=self._bucket, Key=self._key, **conditions)
            with response["Body"] as body:
                start = offset if response["ResponseMetadata"]["HTTPStatusCode"] == 206 else 0
                yield RemoteStream(body.read, start, start + response["ContentLength"], response["ETag"])


def s3_client(retry: DownloadRetries) -> Any:
    """Creates a client with time-outs; AWS's own variables give the region and the credentials."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        config=Config(
            connect_timeout=retry.timeout_seconds,
            read_timeout=retry.timeout_seconds,
            max_pool_connections=_CONCURRENCY,
            retries={"mode": "standard", "total_max_attempts": retry.max_attempts},
        ),
    )


def split_uri(uri: str) -> tuple[str, str]:
    """Returns the bucket and the key."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def fetch_prefix(uri: str, folder: Path, max_bytes: int, retry: DownloadRetries, client: Any) -> None:
    """Downloads every object below a prefix into a folder, several at once."""
    bucket, prefix = split_uri(uri)
    sizes = _list_sizes(client, bucket, prefix)
    if not sizes:
        raise DataError(f"{uri} holds nothing", "check the address: a folder ends with /, an archive with .zip")
    check_size(uri, sum(sizes.values()), max_bytes, folder)
    progress = ProgressLog(f"fetching {uri}", "objects")
    silent_progress = ProgressLog(uri, "bytes", interval=float("inf"))

    def fetch(key: str) -> None:
        path = folder / safe_path(key.removeprefix(prefix))
        path.parent.mkdir(parents=True, exist_ok=True)
        if key.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            download(S3Remote(client, bucket, key), path, max_bytes, retry, silent_progress)

    pool = ThreadPoolExecutor(_CONCURRENCY)
    try:
        for done, _ in enumerate(pool.map(fetch, sizes), 1):
            progress.update(done, len(sizes))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _list_sizes(client: Any, bucket: str, prefix: str) -> dict[str, int]:
    sizes: dict[str, int] = {}
    try:
        with _translate_errors(f"s3://{bucket}/{prefix}"):
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                sizes |= {entry["Key"]: entry["Size"] for entry in page.get("Contents", ()) if entry["Key"] != prefix}
    except DownloadInterrupted as error:
        raise DataError(f"s3://{bucket}/{prefix}: {error}", "try again later") from None
    return sizes


@contextmanager
def _translate_errors(name: str) -> Iterator[None]:
    """Turns botocore's errors into those of download.py."""
    from botocore import exceptions
    from urllib3.exceptions import HTTPError

    try:
        yield
    except exceptions.ClientError as error:
        raise _translate(name, error.response) from None
    except (exceptions.HTTPClientError, exceptions.IncompleteReadError, HTTPError, OSError) as error:
        raise DownloadInterrupted(f"the connection failed ({error})") from None
    except exceptions.BotoCoreError as error:
        raise DataError(f"{name}: {error}", _REMEDY) from None


def _translate(name: str, response: Any) -> Exception:
    code, status = response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]
    answer = f"answered {code} {response['Error'].get('Message', '')}".strip()
    if code in _CHANGED_CODES:
        return RemoteChanged(answer)
    if code in _RETRYABLE_CODES or status >= 500:
        return DownloadInterrupted(answer)
    return DataError(f"{name} {answer}", _REMEDY)
