"""Brings the source of the images to this machine, and verifies its checksum.

A web address or an S3 address is downloaded; a local path is read in place. A checksum can follow the address
(`…#sha256=…`) or come by --sha256; both are verified.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import contract
from download import DownloadRetries, download
from download_folder import ARCHIVE, STATE_FILE
from errors import DataError, InvalidFlagError
from http_remote import HttpRemote, public_address
from progress import ProgressLog
from s3_remote import S3Remote, fetch_prefix, s3_client, split_uri
from source_readers import only_zip

DEFAULT_RETRY = DownloadRetries()
MAX_BYTES = 100 * 10**9
_CHECKSUM = re.compile(r"[0-9a-fA-F]{64}")
_CHUNK_SIZE = 1 << 20


@dataclass(frozen=True)
class ImageSource:
    """Where the images are, and the checksums that the file must have."""

    address: str
    checksums: frozenset[str] = frozenset()

    @property
    def public_name(self) -> str:
        """The address without secrets, for logs and dataset.json."""
        return public_address(self.address) if "://" in self.address else self.address


@dataclass(frozen=True)
class LocalSource:
    """A zip or a folder on this machine, and the zip's checksum."""

    path: Path
    sha256: str = ""


def parse_source(text: str, sha256: str = "") -> ImageSource:
    """Parses an address that may end with a checksum, and a separate checksum."""
    address, has_checksum, suffix = text.partition(contract.CHECKSUM)
    checksums_given = ([suffix] if has_checksum else []) + ([sha256] if sha256 else [])
    for checksum in checksums_given:
        if not _CHECKSUM.fullmatch(checksum):
            raise InvalidFlagError(
                f"{checksum!r} is not a SHA-256", "give the 64 hexadecimal digits that sha256sum prints"
            )
    checksums = frozenset(checksum.lower() for checksum in checksums_given)
    if len(checksums) > 1:
        raise InvalidFlagError(
            f"{contract.FLAG_SHA256} and the address ask for different checksums", "keep one of them"
        )
    if re.match(r"(?!https?://|s3://)\w+://", address):
        raise InvalidFlagError(f"{address} has an unsupported scheme", "use https://, s3:// or a path")
    return ImageSource(address, checksums)


def fetch(
    source: ImageSource, folder: Path, max_bytes: int = MAX_BYTES, retry: DownloadRetries = DEFAULT_RETRY
) -> LocalSource:
    """Returns the local copy of a source; downloads go to `folder`, which may hold a partial download."""
    path_found = _download(source, folder, max_bytes, retry)
    if path_found.is_dir():
        path_found = only_zip(path_found) or path_found
    if path_found.is_file():
        return LocalSource(path_found, _verify_checksum(path_found, source))
    if source.checksums:
        raise InvalidFlagError(f"{source.public_name} is a folder, and a checksum is for one file", "leave it out")
    return LocalSource(path_found)


def _download(source: ImageSource, folder: Path, max_bytes: int, retry: DownloadRetries) -> Path:
    scheme = source.address.partition("://")[0]
    if scheme not in ("http", "https", "s3"):
        return _local_path(Path(source.address))
    if scheme == "s3" and not source.address.lower().endswith(".zip"):
        return _download_prefix(source, folder / "source", max_bytes, retry)
    remote = (
        S3Remote(s3_client(retry), *split_uri(source.address))
        if scheme == "s3"
        else HttpRemote(source.address, retry.timeout_seconds)
    )
    progress = ProgressLog(f"fetching {source.public_name}", "bytes")
    download(remote, folder / ARCHIVE, max_bytes, retry, progress, folder / STATE_FILE)
    return folder / ARCHIVE


def _local_path(path: Path) -> Path:
    if not path.exists():
        raise DataError(f"{path} does not exist", "give a folder, a zip, or an address with https:// or s3://")
    return path


def _download_prefix(source: ImageSource, images: Path, max_bytes: int, retry: DownloadRetries) -> Path:
    images.mkdir()
    bucket, key = split_uri(source.address)
    prefix = f"s3://{bucket}/{key.rstrip('/')}/" if key.rstrip("/") else f"s3://{bucket}/"
    fetch_prefix(prefix, images, max_bytes, retry, s3_client(retry))
    return images


def _verify_checksum(archive: Path, source: ImageSource) -> str:
    digest = hashlib.sha256()
    with archive.open("rb") as file:
        while chunk := file.read(_CHUNK_SIZE):
            digest.update(chunk)
    path_found = digest.hexdigest()
    if source.checksums - {path_found}:
        (expected,) = source.checksums
        raise DataError(
            f"{source.public_name} has the SHA-256 {path_found}, not {expected}",
            "fetch it again, unless it was changed on purpose",
        )
    return path_found
